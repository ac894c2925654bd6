/** Dates of HTTP headers (RFC 9110 §5.6.7): written in one form, read in all three. */

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** IMF-fixdate of a whole second. */
export function formatHttpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}

/**
 * Milliseconds since the epoch, or undefined for anything that is not exactly a date.
 *
 * @example parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT") => 784111777000
 */
export function parseHttpDate(text: string): number | undefined {
  const fixed = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(text);
  if (fixed) return toMs(fixed[3], fixed[2], fixed[1], fixed[4], fixed[5], fixed[6]);
  const obsolete = /^\w{6,9}, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/.exec(text);
  if (obsolete) {
    const short = Number(obsolete[3]);
    const year = String(short + (short < 70 ? 2000 : 1900));
    return toMs(year, obsolete[2], obsolete[1], obsolete[4], obsolete[5], obsolete[6]);
  }
  const ascTime = /^\w{3} (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/.exec(text);
  if (ascTime) return toMs(ascTime[6], ascTime[1], ascTime[2], ascTime[3], ascTime[4], ascTime[5]);
  return undefined;
}

function toMs(
  year: string | undefined,
  month: string | undefined,
  ...rest: readonly (string | undefined)[]
): number | undefined {
  const index = MONTHS.indexOf(month ?? "?") / 3;
  if (!Number.isInteger(index) || index < 0) return undefined;
  const [day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number);
  if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return Date.UTC(Number(year), index, day, hour, minute, second);
}
