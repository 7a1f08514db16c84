/** `authentication.k8s.io/v1`. */
export const authentication = `
BoundObjectReference
  apiVersion string, kind string, name string, uid string
TokenRequest
  apiVersion string, kind string, metadata ObjectMeta, spec! TokenRequestSpec, status TokenRequestStatus
TokenRequestSpec
  audiences!= []string, boundObjectRef BoundObjectReference, expirationSeconds *int64
TokenRequestStatus
  expirationTimestamp!= time, token!= string
`;

/** What is asked about access: `authentication.k8s.io/v1` and `authorization.k8s.io/v1`. Their status is the server's. */
export const reviews = `
FieldSelectorAttributes
  rawSelector string, requirements []LabelSelectorRequirement
LabelSelectorAttributes
  rawSelector string, requirements []LabelSelectorRequirement
LocalSubjectAccessReview
  apiVersion string, kind string, metadata ObjectMeta, spec!= SubjectAccessReviewSpec, status any
NonResourceAttributes
  path string, verb string
ResourceAttributes
  fieldSelector FieldSelectorAttributes, group string, labelSelector LabelSelectorAttributes, name string,
  namespace string, resource string, subresource string, verb string, version string
SelfSubjectAccessReview
  apiVersion string, kind string, metadata ObjectMeta, spec!= SelfSubjectAccessReviewSpec, status any
SelfSubjectAccessReviewSpec
  nonResourceAttributes NonResourceAttributes, resourceAttributes ResourceAttributes
SelfSubjectReview
  apiVersion string, kind string, metadata ObjectMeta, status any
SelfSubjectRulesReview
  apiVersion string, kind string, metadata ObjectMeta, spec!= SelfSubjectRulesReviewSpec, status any
SelfSubjectRulesReviewSpec
  namespace string
SubjectAccessReview
  apiVersion string, kind string, metadata ObjectMeta, spec!= SubjectAccessReviewSpec, status any
SubjectAccessReviewSpec
  extra map[string][]string, groups []string, nonResourceAttributes NonResourceAttributes,
  resourceAttributes ResourceAttributes, uid string, user string
TokenReview
  apiVersion string, kind string, metadata ObjectMeta, spec!= TokenReviewSpec, status any
TokenReviewSpec
  audiences []string, token string
`;

/** `rbac.authorization.k8s.io/v1`. */
export const rbac = `
AggregationRule
  clusterRoleSelectors []LabelSelector
ClusterRole
  aggregationRule AggregationRule, apiVersion string, kind string, metadata ObjectMeta, rules= []PolicyRule
ClusterRoleBinding
  apiVersion string, kind string, metadata ObjectMeta, roleRef!= RoleRef, subjects []Subject
PolicyRule
  apiGroups []string, nonResourceURLs []string, resourceNames []string, resources []string, verbs!= []string
Role
  apiVersion string, kind string, metadata ObjectMeta, rules= []PolicyRule
RoleBinding
  apiVersion string, kind string, metadata ObjectMeta, roleRef!= RoleRef, subjects []Subject
RoleRef atomic
  apiGroup= string, kind!= string, name!= string
Subject atomic
  apiGroup string, kind!= string, name!= string, namespace string
`;
