// The command lines of a control plane on loopback. Times that a cluster counts in minutes are seconds here.
import type { ControlPlaneFiles } from './control-plane-files.ts';

export interface Ports {
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
}

export function etcdFlags(folder: string): string[] {
  const client = `unix://${folder}/etcd.sock`;
  const peer = `unix://${folder}/etcd-peer.sock`;
  return [
    `--data-dir=${folder}/etcd`,
    // The folder is gone after the run: nothing is to survive a power cut.
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
  ];
}

export function apiServerFlags(
  folder: string,
  files: ControlPlaneFiles,
  { apiServer }: Ports,
  { givesTokens }: { readonly givesTokens: boolean },
): string[] {
  return [
    `--etcd-servers=unix://${folder}/etcd.sock`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${apiServer}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.certificateKey}`,
    `--cert-dir=${folder}/keys`,
    // The service "kubernetes" may not point to loopback.
    '--endpoint-reconciler-type=none',
    // The nodes' names are in no DNS.
    '--kubelet-preferred-address-types=InternalIP',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    // It gives every pod a projected volume with a token, which the sandbox's kubelet does not make.
    ...(givesTokens ? [] : ['--disable-admission-plugins=ServiceAccount']),
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
    '--audit-log-mode=blocking',
    // Its first file is the one that is read: by default another is begun after 100 MB.
    '--audit-log-maxsize=100000',
    '--profiling=false',
  ];
}

export function controllerManagerFlags(
  files: ControlPlaneFiles,
  ports: Ports,
  controllers: readonly string[],
): string[] {
  return [
    `--kubeconfig=${files.controllerManagerKubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.controllerManager}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.certificateKey}`,
    `--root-ca-file=${files.certificate}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=false',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=6s',
    '--node-startup-grace-period=20s',
    '--pvclaimbinder-sync-period=1s',
    '--attach-detach-reconcile-sync-period=1s',
    '--profiling=false',
  ];
}

export function schedulerFlags(files: ControlPlaneFiles, ports: Ports): string[] {
  return [
    `--config=${files.schedulerConfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.scheduler}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.certificateKey}`,
  ];
}
