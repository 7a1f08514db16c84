import type { RpcError } from './rpc-error.ts';

/** A failed call in the words of upstream's events, conditions and status, which dashboards and people search for. */
export function rpcErrorText(error: RpcError): string {
  return `rpc error: code = ${error.code} desc = ${error.message}`;
}
