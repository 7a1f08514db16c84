/**
 * Largest message taken, sent or received. The default of 4 MiB is crossed by a ListVolumes answer with some ten thousand
 * entries, and nothing in CSI bounds a page unless the caller does.
 */
export const maxMessageBytes = 16 * 1024 * 1024;

export const messageSizeOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
} as const;
