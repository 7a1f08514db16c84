import { rpcError, type ServiceBinding, type UntypedHandler } from '@holdfast/rpc';

// CSI spec, "Secrets Requirements". Kubernetes' own key for tokens has a prefix that the spec does not foresee: CSIDriver
// `serviceAccountTokenInSecrets` sends it to every driver that asks for tokens.
const keyShape = /^(csi\.storage\.k8s\.io\/)?[A-Za-z0-9\-_.]+$/;

/** A service whose requests name their secrets as the spec allows. Neither keys nor values are told: both are secret. */
export function withCheckedSecrets(binding: ServiceBinding): ServiceBinding {
  const checked = ([name, handler]: [string, UntypedHandler]): [string, UntypedHandler] => [
    name,
    (request, context) => {
      checkSecrets(request);
      return handler(request, context);
    },
  ];
  return { ...binding, handlers: new Map([...binding.handlers].map(checked)) };
}

function checkSecrets(request: unknown): void {
  if (typeof request !== 'object' || request === null || !('secrets' in request)) return;
  const { secrets } = request;
  if (typeof secrets !== 'object' || secrets === null || Object.keys(secrets).every((key) => keyShape.test(key)))
    return;
  throw rpcError('InvalidArgument', 'secrets has a key with other characters than letters, digits, "-", "_" and "."');
}
