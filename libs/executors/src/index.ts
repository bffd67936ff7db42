/** Executors: where programs run contained, on which device, and what a result says of it. */
export { DEVICE_PROFILES, type DeviceProfile, type DriverPlaces } from './device-profile.ts';
export { type Device, type DeviceList, discoverDevices } from './devices.ts';
export type { DockerReport } from './docker/docker-executor.ts';
export type { DockerEngine, DockerOptions, DockerRefusalCode } from './docker/options.ts';
export { type ExecutionRecord, executionRecord } from './execution-record.ts';
export type { KubernetesReport } from './kubernetes/kubernetes-executor.ts';
export type {
  ClusterAccess,
  ClusterDevices,
  KubernetesOptions,
  KubernetesRefusalCode,
} from './kubernetes/options.ts';
export { LOCK_FILES, type LockFile, lockFileOf } from './lock-file.ts';
export { openDockerExecutor, openKubernetesExecutor } from './open.ts';
export {
  type Executor,
  EXECUTOR_KINDS,
  type ExecutorJob,
  type ExecutorKind,
  type RuntimeRecord,
} from './port.ts';
export { sandboxExecutor, type SandboxExecutorOptions } from './sandbox-executor.ts';
