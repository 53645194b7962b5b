/** What a pod of ours says of its own rights, so that the restricted Pod Security Standard admits it. */

/** User and group that our images run as. */
const user = 65532;

/** Pod's security context: nobody's rights, files of volumes for its group. */
export const restrictedPod = {
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  seccompProfile: { type: "RuntimeDefault" },
};

/** Container's security context: no way to more rights, nothing of its image can be changed. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
