import { posix } from 'node:path';
import type { Pod } from '@holdfast/kube';
import { podField } from './pod-fields.ts';
import type { ContainerMount, ContainerSpec } from './runtime.ts';

export type Container = NonNullable<Pod['spec']>['containers'][number];

/** A container that cannot be run here, and what to change. */
export class ContainerSpecError extends Error {
  override readonly name = 'ContainerSpecError';
}

/** Where a pod's volume is on this machine. */
export interface VolumeSource {
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** @throws ContainerSpecError */
export function containerSpec(
  pod: Pod,
  container: Container,
  sources: ReadonlyMap<string, VolumeSource>,
  restarts: number,
): ContainerSpec {
  const env = environment(pod, container);
  const command = [...(container.command ?? []), ...(container.args ?? [])].map((text) => expand(text, env));
  if ((container.command ?? []).length === 0) {
    throw new ContainerSpecError(
      `container "${container.name}" has no command: its image is not pulled, so say what to run in spec.containers[].command`,
    );
  }
  if ((container.envFrom ?? []).length > 0) {
    throw new ContainerSpecError(`container "${container.name}": envFrom is not supported; name each variable in env`);
  }
  const security = { ...pod.spec?.securityContext, ...container.securityContext };
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  const groups = [
    ...(pod.spec?.securityContext?.supplementalGroups ?? []),
    ...(fsGroup === undefined ? [] : [fsGroup]),
  ];
  return {
    podUid: pod.metadata.uid,
    name: container.name,
    command,
    env,
    workingDir: (container.workingDir ?? '/') === '/' ? '/' : absolute(container.workingDir ?? '/', 'workingDir'),
    mounts: [...fileMounts(container, sources), ...deviceMounts(container, sources)].toSorted(
      (a, b) => depth(a.target) - depth(b.target),
    ),
    user: security.runAsUser,
    group: security.runAsGroup,
    groups,
    restarts,
  };
}

function fileMounts(container: Container, sources: ReadonlyMap<string, VolumeSource>): ContainerMount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    if ((mount.subPath ?? '') !== '' || (mount.subPathExpr ?? '') !== '') {
      throw new ContainerSpecError(`volumeMount "${mount.name}": subPath is not supported; mount the whole volume`);
    }
    const source = sourceOf(mount.name, sources);
    return {
      source: source.path,
      target: absolute(mount.mountPath, `mountPath of volume "${mount.name}"`),
      isReadOnly: mount.readOnly === true || source.isReadOnly,
    };
  });
}

function deviceMounts(container: Container, sources: ReadonlyMap<string, VolumeSource>): ContainerMount[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const { path, isReadOnly } = sourceOf(name, sources);
    return { source: path, target: absolute(devicePath, `devicePath of volume "${name}"`), isReadOnly };
  });
}

/** A volume inside another's folder has to be mounted after it, or it is hidden. */
function depth(path: string): number {
  return path.split('/').length;
}

function sourceOf(name: string, sources: ReadonlyMap<string, VolumeSource>): VolumeSource {
  const source = sources.get(name);
  if (source === undefined) {
    throw new ContainerSpecError(`volume "${name}" is not among the volumes of the pod`);
  }
  return source;
}

function absolute(path: string, what: string): string {
  const isPlain = posix.isAbsolute(path) && !path.split('/').includes('..') && !path.includes('\0') && path !== '/';
  if (!isPlain) {
    throw new ContainerSpecError(`${what} is ${JSON.stringify(path)}; use an absolute path below / without ".."`);
  }
  return posix.normalize(path).replace(/\/$/, '');
}

function environment(pod: Pod, container: Container): Record<string, string> {
  const env: Record<string, string> = { HOME: '/root', HOSTNAME: pod.metadata.name };
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) {
      env[name] = expand(value ?? '', env);
      continue;
    }
    const field = valueFrom.fieldRef?.fieldPath;
    const found = field === undefined ? undefined : podField(pod, field);
    if (found === undefined) {
      throw new ContainerSpecError(
        `env "${name}": only a value, or a fieldRef to metadata, spec.nodeName, spec.serviceAccountName, status.podIP or status.hostIP, is supported`,
      );
    }
    env[name] = found;
  }
  return env;
}

/** Kubernetes' own expansion: `$(NAME)` of a known variable, `$$(NAME)` for the text itself. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? match),
  );
}
