import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createCertificate } from '../../packages/sandbox/src/apiserver/certificate.ts';
import { auditPolicy } from './audit-log.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';

/** Of the service "kubernetes", where pods look for the API server: the first address of the range in the API server's flags. */
export const serviceAddress = '10.0.0.1';

/** What the programs of a control plane read: keys, tokens, kubeconfigs, configuration. */
export interface ControlPlaneFiles {
  readonly certificate: string;
  readonly certificateKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokens: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly adminKubeconfig: string;
  readonly controllerManagerKubeconfig: string;
  readonly schedulerConfig: string;
  /** PEM of the certificate, which vouches for itself. */
  readonly ca: string;
  readonly adminToken: string;
}

export function writeControlPlaneFiles(folder: string, url: string): ControlPlaneFiles {
  const keys = join(folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  const write = (name: string, text: string): string => {
    const path = join(keys, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { cert, key } = createCertificate({ host: '127.0.0.1', alsoHosts: [serviceAddress], nowMs: Date.now() });
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const users = { admin: token(), 'system:kube-controller-manager': token(), 'system:kube-scheduler': token() };
  const kubeconfig = (name: string, user: keyof typeof users): string => {
    const path = join(folder, name);
    writeKubeconfig(path, { url, ca: cert }, { name: user, token: users[user] });
    return path;
  };
  return {
    certificate: write('server.crt', cert),
    certificateKey: write('server.key', key),
    serviceAccountKey: write(
      'service-account.key',
      signing.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    ),
    serviceAccountPublicKey: write(
      'service-account.pub',
      signing.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ),
    tokens: write('tokens.csv', tokenFileText(users)),
    auditPolicy: write('audit-policy.yaml', stringify(auditPolicy)),
    auditLog: join(folder, 'audit.log'),
    adminKubeconfig: kubeconfig('kubeconfig', 'admin'),
    controllerManagerKubeconfig: kubeconfig('controller-manager.kubeconfig', 'system:kube-controller-manager'),
    schedulerConfig: write(
      'scheduler.yaml',
      stringify(schedulerConfig(kubeconfig('scheduler.kubeconfig', 'system:kube-scheduler'))),
    ),
    ca: cert,
    adminToken: users.admin,
  };
}

function token(): string {
  return randomBytes(24).toString('hex');
}

/** Columns: token, user, uid, groups. */
function tokenFileText(users: Readonly<Record<string, string>>): string {
  return Object.entries(users)
    .map(([user, secret]) => `${secret},${user},${user},"system:masters"\n`)
    .join('');
}

/** A pod that no node could take is tried again soon: waiting is no part of what is tested. */
function schedulerConfig(kubeconfig: string): object {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig, qps: 1000, burst: 2000 },
    leaderElection: { leaderElect: false },
    podInitialBackoffSeconds: 1,
    podMaxBackoffSeconds: 2,
  };
}
