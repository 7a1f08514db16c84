import { stringify } from 'yaml';
import { shellImage } from './test-images.ts';

export function claim(name: string, spec: { className: string; size: string; isBlock?: boolean }): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      storageClassName: spec.className,
      accessModes: ['ReadWriteOnce'],
      volumeMode: spec.isBlock === true ? 'Block' : 'Filesystem',
      resources: { requests: { storage: spec.size } },
    },
  });
}

/** A pod that waits, with the claim at /data, or as the device /dev/data. Without a claim the volume is the pod's own. */
export function pod(
  name: string,
  claimName: string | undefined,
  spec: { isBlock?: boolean; isReadOnly?: boolean; security?: object } = {},
): string {
  const place =
    spec.isBlock === true
      ? { volumeDevices: [{ name: 'data', devicePath: '/dev/data' }] }
      : { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...(spec.security === undefined ? {} : { securityContext: spec.security }),
      containers: [{ name: 'shell', image: shellImage, imagePullPolicy: 'Never', ...place }],
      volumes: [
        claimName === undefined
          ? { name: 'data', csi: { driver: 'disk.csi.holdfast', volumeAttributes: { size: '32Mi' } } }
          : { name: 'data', persistentVolumeClaim: { claimName, readOnly: spec.isReadOnly === true } },
      ],
    },
  });
}
