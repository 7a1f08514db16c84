export { createFakeClock, type FakeClock } from './fake-clock.ts';
export { createRecordingLogger, type LogLine, type RecordingLogger } from './recording-logger.ts';
