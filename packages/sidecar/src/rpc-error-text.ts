import type { RpcError } from '@holdfast/rpc';

/** A failed call in the words of upstream's events, conditions and status, which dashboards and people search for. */
export function rpcErrorText(error: RpcError): string {
  return `rpc error: code = ${error.code} desc = ${error.message}`;
}
