/** Where a cluster is, and who asks. */
export type ClusterAccess =
  /** A kubeconfig file; without a context its current one. */
  | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string }
  /** This process runs in a pod, and asks by its service account. */
  | { readonly kind: 'in-cluster' };

/** Devices of a cluster: a count of a resource; which ones, the cluster's device plugin decides. */
export interface ClusterDevices {
  /** For example `nvidia.com/gpu`. */
  readonly resource: string;
  readonly count: number;
}

export interface KubernetesOptions {
  readonly access: ClusterAccess;
  readonly namespace: string;
  /** `<repository>@sha256:<hex>`. */
  readonly image: string;
  /** What runs `/program/<entry>` in the image; default `['node']`. */
  readonly command?: readonly string[];
  /** This worker's own and lasting name, one for each job at a time: what it left behind is found by it, and removed. */
  readonly worker: string;
  /** A claim that workers and jobs share (ReadWriteMany, unless all stand on one node). */
  readonly volume: {
    readonly claim: string;
    /** Where this process sees the claim's root. */
    readonly folder: string;
  };
  /** Default: none. */
  readonly devices?: ClusterDevices | null;
  /** Processors' worth of time, requested and limited; default 1. */
  readonly cpus?: number;
  /** Seconds that a job may wait for a node and its image; default 600. Past it the cluster is to blame. */
  readonly pendingSeconds?: number;
  /** Which nodes may run programs; default: any. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints that the pods bear, as GPU nodes often have; default: none. */
  readonly tolerations?: readonly {
    readonly key: string;
    readonly operator: 'Exists' | 'Equal';
    readonly value?: string;
    readonly effect?: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule';
  }[];
  /** For example `gvisor` or `nvidia`; default: the cluster's. */
  readonly runtimeClass?: string | null;
}

export type KubernetesRefusalCode =
  | 'image-not-by-digest'
  | 'cluster-unreachable'
  /** The API server answers, and does not let this worker do what it must. */
  | 'cluster-forbids'
  | 'volume-missing'
  /** No policy denies all traffic of the jobs, or another one allows some. */
  | 'network-open'
  | 'work-folder-unfit';
