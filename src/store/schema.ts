/** The schema of the database, as a list of migrations. Migration N (counted from 1) brings `user_version` from N-1 to
 *  N; a released migration is never edited. Records are JSON documents of plain data. A value has a column only where
 *  the database must refuse a duplicate (names, addresses, ports) or find a row by it.
 *
 *    containers          a row per container, with its whole record
 *    images              a row per image, by the digest of its config
 *    image_references    name:tag or name@digest → image id and target descriptor
 *    snapshots           key or name → directory number and parent
 *    leases              temporary holds; lease_resources says on what
 *    networks            a row per network
 *    addresses           one lease of an address in a network
 *    ports               one lease of a published host port
 *    endpoints           a container's membership in a network
 *    volumes             a row per volume
 *    volume_references   a row per container that uses a volume
 *    volume_mounts       a row per holder for which a volume is mounted
 *    build_cache         a row per cached build step; `inputs` is what the step read, compressed
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE image_references (
    reference TEXT PRIMARY KEY,
    image_id TEXT NOT NULL,
    target TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX image_references_by_image ON image_references (image_id);
  CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
    parent TEXT,
    created TEXT NOT NULL,
    size_bytes INTEGER
  );
  CREATE INDEX snapshots_by_parent ON snapshots (parent);
  CREATE TABLE leases (
    id TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    owner TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE lease_resources (
    lease_id TEXT NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('blob', 'snapshot')),
    key TEXT NOT NULL,
    PRIMARY KEY (lease_id, kind, key)
  ) WITHOUT ROWID;
  CREATE TABLE networks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE addresses (
    network_id TEXT NOT NULL,
    address TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (network_id, address)
  ) WITHOUT ROWID;
  CREATE INDEX addresses_by_owner ON addresses (owner);
  CREATE TABLE ports (
    protocol TEXT NOT NULL,
    host_ip TEXT NOT NULL,
    host_port INTEGER NOT NULL,
    container_id TEXT NOT NULL,
    container_port INTEGER NOT NULL,
    PRIMARY KEY (protocol, host_ip, host_port)
  ) WITHOUT ROWID;
  CREATE INDEX ports_by_container ON ports (container_id);
  CREATE TABLE endpoints (
    container_id TEXT NOT NULL,
    network_id TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (container_id, network_id)
  ) WITHOUT ROWID;
  CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE volume_references (
    volume TEXT NOT NULL,
    container_id TEXT NOT NULL,
    PRIMARY KEY (volume, container_id)
  ) WITHOUT ROWID;
  CREATE INDEX volume_references_by_container ON volume_references (container_id);
  `,
  `
  CREATE TABLE volume_mounts (
    holder TEXT NOT NULL,
    volume TEXT NOT NULL,
    PRIMARY KEY (holder, volume)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE build_cache (
    key TEXT PRIMARY KEY,
    slot TEXT NOT NULL,
    record TEXT NOT NULL,
    inputs BLOB
  ) WITHOUT ROWID;
  CREATE INDEX build_cache_by_slot ON build_cache (slot);
  `,
]
