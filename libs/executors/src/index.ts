/** Executors: where programs run contained, on which device, and what a result says of it. */
export { DEVICE_PROFILES, type DeviceProfile, type DriverPlaces } from './device-profile.ts';
export { type Device, type DeviceList, discoverDevices } from './devices.ts';
export { type DockerReport, openDockerExecutor } from './docker/docker-executor.ts';
export type { DockerEngine, DockerOptions, DockerRefusalCode } from './docker/options.ts';
export { type ExecutionRecord, executionRecord } from './execution-record.ts';
export { type KubernetesReport, openKubernetesExecutor } from './kubernetes/kubernetes-executor.ts';
export type {
  ClusterDevices,
  KubernetesOptions,
  KubernetesRefusalCode,
} from './kubernetes/options.ts';
export { LOCK_FILES, type LockFile, lockFileOf } from './lock-file.ts';
export * from './port.ts';
export { sandboxExecutor, type SandboxExecutorOptions } from './sandbox-executor.ts';
