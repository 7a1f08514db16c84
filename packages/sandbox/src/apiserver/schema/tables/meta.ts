/** What every object carries, `meta/v1`. */
export const meta = `
Condition
  lastTransitionTime!= time, message!= string, observedGeneration int64, reason!= string, status!= string,
  type!= string
DeleteOptions
  apiVersion string, dryRun []string, gracePeriodSeconds *int64,
  ignoreStoreReadErrorWithClusterBreakingPotential *bool, kind string, orphanDependents *bool,
  preconditions Preconditions, propagationPolicy *string
LabelSelector atomic
  matchExpressions []LabelSelectorRequirement, matchLabels map[string]string
LabelSelectorRequirement
  key!= string, operator!= string, values []string
ManagedFieldsEntry
  apiVersion string, fieldsType string, fieldsV1 *any, manager string, operation string, subresource string,
  time *time
ObjectMeta
  annotations map[string]string, creationTimestamp time, deletionGracePeriodSeconds *int64, deletionTimestamp *time,
  finalizers [set]string, generateName string, generation int64, labels map[string]string,
  managedFields []ManagedFieldsEntry, name string, namespace string, ownerReferences [uid]OwnerReference,
  resourceVersion string, selfLink string, uid string
OwnerReference atomic
  apiVersion!= string, blockOwnerDeletion *bool, controller *bool, kind!= string, name!= string, uid!= string
Preconditions
  resourceVersion *string, uid *string
`;
