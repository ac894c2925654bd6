/** Where things are in this checkout. */
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
export const DIST: string = `${ROOT}dist/`;
export const FIXTURES: string = `${ROOT}test/fixtures/`;
export const APPS: string = `${FIXTURES}apps/`;
export const EMPEROR: string = `${DIST}tsgi-emperor.js`;
