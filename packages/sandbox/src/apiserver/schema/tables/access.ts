/** `authentication.k8s.io/v1`. */
export const authentication = `
BoundObjectReference
  apiVersion string, kind string, name string, uid string
TokenRequest
  apiVersion string, kind string, metadata ObjectMeta, spec! TokenRequestSpec, status TokenRequestStatus
TokenRequestSpec
  audiences! []string, boundObjectRef BoundObjectReference, expirationSeconds int64
TokenRequestStatus
  expirationTimestamp! time, token! string
`;
