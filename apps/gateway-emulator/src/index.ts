export { startEmulator, type EmulatorOptions, type RunningEmulator } from './emulator';
