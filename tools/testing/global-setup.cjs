module.exports = require('./run-postgres.cjs').open;
