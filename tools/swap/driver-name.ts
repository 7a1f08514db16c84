/** Of the scripted driver; `$driver` in the cases' YAML. */
export const driverName = 'swap.csi.holdfast';
