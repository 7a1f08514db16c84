/** CSI spec, GetPluginInfoResponse.name: domain name notation, at most 63 characters; it begins a topology key, so it is in lower case. */
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const shape = new RegExp(`^${label}(\\.${label})+$`);
const maxLength = 63;

/** @returns what is wrong with a name, or undefined */
export function wrongDriverName(name: string): string | undefined {
  if (name.length > maxLength) return `it has ${name.length} characters, at most ${maxLength} are allowed`;
  if (shape.test(name)) return undefined;
  return 'a driver is named like a domain, in lower case, such as disk.csi.example.com';
}
