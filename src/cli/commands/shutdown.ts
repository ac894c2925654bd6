/** `shutdown`: stops every vassal gracefully, then the emperor; returns when that is done. */
import { EXIT } from "../../core/exit-codes.ts";
import { EmperorClient } from "../client.ts";

export async function shutdown(flags: { readonly runtimeDir?: string }): Promise<number> {
  await new EmperorClient(flags.runtimeDir).json({ method: "POST", path: "/shutdown" });
  process.stdout.write("the fleet is stopped\n");
  return EXIT.done;
}
