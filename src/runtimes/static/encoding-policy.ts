/** Which precompressed neighbours of a file a client takes, best first (RFC 9110 §12.5.3). */

/** Content coding and the extension of the neighbour, in the order we prefer them. */
export const NEIGHBOURS = [
  { coding: "br", extension: ".br" },
  { coding: "zstd", extension: ".zst" },
  { coding: "gzip", extension: ".gz" },
] as const;

export type Neighbour = (typeof NEIGHBOURS)[number];

const LONGEST_HEADER = 1024;

/**
 * Neighbours worth looking for: accepted with a weight above 0 and not below that of the plain file.
 *
 * @example acceptedNeighbours("gzip;q=0.5, br") => [br, gzip]
 */
export function acceptedNeighbours(acceptEncoding: string | undefined): readonly Neighbour[] {
  if (acceptEncoding === undefined || acceptEncoding.length > LONGEST_HEADER) return [];
  const weights = parseWeights(acceptEncoding);
  const star = weights.get("*");
  const weightOf = (coding: string): number => weights.get(coding) ?? star ?? 0;
  const plain = weights.get("identity") ?? 0;
  return NEIGHBOURS.filter(({ coding }) => weightOf(coding) > 0 && weightOf(coding) >= plain).sort(
    (left, right) => weightOf(right.coding) - weightOf(left.coding),
  );
}

function parseWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.toLowerCase().split(",")) {
    const match =
      /^[ \t]*([!-~]+?)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*$/.exec(element);
    if (match?.[1] === undefined) continue;
    weights.set(match[1] === "x-gzip" ? "gzip" : match[1], Number(match[2] ?? 1));
  }
  return weights;
}
