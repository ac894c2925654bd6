/** The part of pidusage that we use; the package ships no types. */
declare module "pidusage" {
  /** `cpu` in percent of one core, `memory` resident bytes. Missing processes are null, undefined or absent. */
  interface Status {
    readonly cpu: number;
    readonly memory: number;
  }

  function pidusage(pids: number[]): Promise<Readonly<Record<string, Status | null | undefined>>>;
  export = pidusage;
}
