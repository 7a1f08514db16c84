// The ways to install the chart that are rendered, compared and shown to a real API server.
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
export const chartFolder = join(root, 'deploy', 'chart');

export interface ValueSet {
  readonly name: string;
  /** Arguments of helm that give the values. */
  readonly values: readonly string[];
  /** Where the rendered chart lies, from the root of the repository. */
  readonly golden: string;
}

const example = (name: string): string => join(chartFolder, 'examples', `${name}.yaml`);
const golden = (name: string): string => join('tools', 'chart', 'golden', `${name}.yaml`);
/** What people without Helm install: `kubectl apply -k deploy/kustomize/disk`. */
const kustomize = (name: string): string => join('deploy', 'kustomize', name, 'holdfast.yaml');

export const valueSets: readonly ValueSet[] = [
  { name: 'disk', values: [], golden: kustomize('disk') },
  { name: 'disk-combined', values: ['--set', 'layout=combined'], golden: kustomize('disk-combined') },
  { name: 'dir', values: ['--set', 'driver.holdfast.backend=dir'], golden: kustomize('dir') },
  { name: 'everything', values: ['--values', example('everything')], golden: golden('everything') },
  {
    name: 'everything-combined',
    values: ['--values', example('everything'), '--set', 'layout=combined'],
    golden: golden('everything-combined'),
  },
  { name: 'their-driver', values: ['--values', example('their-driver')], golden: golden('their-driver') },
  {
    name: 'their-driver-combined',
    values: ['--values', example('their-driver'), '--set', 'layout=combined'],
    golden: golden('their-driver-combined'),
  },
  {
    name: 'host-network',
    values: [
      '--set',
      'controller.hostNetwork=true,node.hostNetwork=true,controller.replicas=1,rbac.readSecrets=false,liveness.enabled=false',
    ],
    golden: golden('host-network'),
  },
];

/** Values that cannot be meant, and what helm must say of them. */
export const wrongValues: readonly { readonly set: string; readonly says: string }[] = [
  { set: 'layout=both', says: "'/layout'" },
  { set: 'controller.replicas=0', says: "'/controller/replicas'" },
  { set: 'controler.replicas=2', says: "'controler'" },
  { set: 'provisioner.timeout=60', says: "'/provisioner/timeout'" },
  { set: 'driver.holdfast.backend=tape', says: "'/driver/holdfast/backend'" },
  { set: 'driver.holdfast.poolPath=relative', says: "'/driver/holdfast/poolPath'" },
  { set: 'driver.holdfast.image.digest=latest', says: "'/driver/holdfast/image/digest'" },
  { set: 'ports.driver=70000', says: "'/ports/driver'" },
  { set: 'driver.holdfast.enabled=false', says: 'driver.name is needed' },
  { set: 'driver.holdfast.enabled=false,driver.name=x.example', says: 'driver.external.image.repository is needed' },
  {
    set: 'driver.holdfast.enabled=false,driver.name=x.example,driver.external.image.repository=x',
    says: 'needs a tag or a digest',
  },
  { set: 'provisioner.enabled=false,attacher.enabled=false,resizer.enabled=false', says: 'switch on one at least' },
];
