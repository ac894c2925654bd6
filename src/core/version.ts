/** The release of this program, kept equal to package.json by a test. */

export const VERSION = "0.1.0";

/** The channel between emperor and vassal: a vassal of another version serves on but takes no new commands. */
export const LINK_VERSION = 1;
