import { readFileSync, writeFileSync } from 'node:fs';

// kubelet sets these of the whole kernel when it starts (pkg/kubelet/cm, setupKernelTunables).
const names = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

const file = (name: string): string => `/proc/sys/${name}`;

/** @returns what puts the machine's own values back */
export function keepKernelSettings(): () => void {
  const kept = names.map((name) => [name, readFileSync(file(name), 'utf8')] as const);
  return () => {
    for (const [name, value] of kept) if (readFileSync(file(name), 'utf8') !== value) writeFileSync(file(name), value);
  };
}
