/** `coordination.k8s.io/v1`. */
export const coordination = `
Lease
  apiVersion string, kind string, metadata ObjectMeta, spec= LeaseSpec
LeaseSpec
  acquireTime *microTime, holderIdentity *string, leaseDurationSeconds *int32, leaseTransitions *int32,
  preferredHolder *string, renewTime *microTime, strategy *string
`;
