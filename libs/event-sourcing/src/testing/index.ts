export { specificationOf } from './specification';
