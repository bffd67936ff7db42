import type { Device } from '../devices.ts';

/** How to reach an engine. Whoever can is root on its host: see docs/how-to/run-workers-on-gpus.md. */
export type DockerEngine =
  | { readonly socketPath: string }
  | {
      readonly host: string;
      readonly port: number;
      /** PEM. Without them the connection is refused: an open engine is an open host. */
      readonly ca: string;
      readonly cert: string;
      readonly key: string;
    };

export interface DockerOptions {
  readonly engine: DockerEngine;
  /** `<repository>@sha256:<hex>`, pulled beforehand. */
  readonly image: string;
  /** What runs `/program/<entry>` in the image; default `['node']`. */
  readonly command?: readonly string[];
  /** This worker's own and lasting name, one for each device: what it left behind is found by it, and removed. */
  readonly worker: string;
  /** Default: none. */
  readonly device?: Device | null;
  /** Folder that this process and the engine's host see at the same path; best a file system of a fixed size. */
  readonly workFolder: string;
  /** Processors' worth of time; default: no bound. */
  readonly cpus?: number;
}

export type DockerRefusalCode =
  | 'image-not-by-digest'
  | 'engine-unreachable'
  /** It can't contain programs as it must: cgroups, seccomp or its user mapping. */
  | 'engine-unfit'
  | 'image-missing'
  /** It declares volumes, which would be writable without a bound. */
  | 'image-unfit'
  | 'work-folder-unfit';
