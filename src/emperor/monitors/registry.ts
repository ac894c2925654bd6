/** The imperial monitors by name. */
import { DirectoryMonitor } from "./directory.ts";
import type { ImperialMonitor, MonitorDoors, MonitorSettings } from "./monitor.ts";

export type CreateMonitor = (settings: MonitorSettings, doors: MonitorDoors) => ImperialMonitor;

export const MONITORS = {
  directory: (settings, doors) => new DirectoryMonitor(settings, doors),
} as const satisfies Record<string, CreateMonitor>;
