import type { Refusal, Result } from '#libs/kernel';
import type { DockerOptions, DockerRefusalCode } from './docker/options.ts';
import type { KubernetesOptions, KubernetesRefusalCode } from './kubernetes/options.ts';
import type { Executor } from './port.ts';

/*
 * The clients of Docker and of Kubernetes are loaded when they are asked for: together they take about a second and
 * 70 MB of memory, which a machine that runs its programs itself need not pay.
 */

/**
 * Opens an executor on a Docker engine: containers of one pinned image, without network, with a read-only root, as
 * an unprivileged user. Removes what an earlier life of the same worker left. Needs engine 25 or newer; is refused
 * where the engine can't limit memory, swap and processes, has no seccomp profile, or maps users.
 *
 * ```ts
 * const opened = await openDockerExecutor({
 *   engine: { socketPath: '/var/run/docker.sock' },
 *   image: 'registry.example/node@sha256:5e…',
 *   worker: 'gpu-host-3/0',
 *   device,
 *   workFolder: '/srv/holdfast/runs',
 * });
 * ```
 */
export const openDockerExecutor = async (
  options: DockerOptions,
): Promise<Result<Executor, Refusal<DockerRefusalCode>>> =>
  (await import('./docker/docker-executor.ts')).dockerExecutor(options);

/**
 * Opens an executor on a Kubernetes cluster: one Job a run, of one pinned image, without privileges, root or a
 * service account. Removes what an earlier life of the same worker left. A Job can't switch the network off: it is
 * refused unless network policies deny all traffic of its pods, and they are looked at again before each run. That
 * the cluster's network plugin enforces policies, and that `volume.folder` is the claim, is trusted.
 */
export const openKubernetesExecutor = async (
  options: KubernetesOptions,
): Promise<Result<Executor, Refusal<KubernetesRefusalCode>>> =>
  (await import('./kubernetes/kubernetes-executor.ts')).kubernetesExecutor(options);
