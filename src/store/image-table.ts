import type { Database } from './database.ts'

/** A name of an image, as stored: `target` is the text of the descriptor that the name stands for. */
export interface ImageReferenceRow {
  readonly reference: string
  readonly imageId: string
  readonly target: string
}

/** Rows of images and their names: `R` is the record's type, which the image layer defines. */
export class ImageTable<R extends { readonly id: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds an image, or replaces what was known of it. */
  put(record: R): void {
    this.#db.run('INSERT OR REPLACE INTO images (id, record) VALUES (?, ?)', record.id, JSON.stringify(record))
  }

  /** Removes an image and all its names. */
  delete(id: string): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM image_references WHERE image_id = ?', id)
      this.#db.run('DELETE FROM images WHERE id = ?', id)
    })
  }

  /** Every image, as text still to be parsed, so that a broken record harms no other. */
  all(): { readonly id: string; readonly json: string }[] {
    return this.#db.all('SELECT id, record FROM images').map((row) => ({
      id: String(row.id),
      json: String(row.record),
    }))
  }

  /** Points a name to an image, whatever it pointed to before. */
  putReference({ reference, imageId, target }: ImageReferenceRow): void {
    this.#db.run(
      'INSERT OR REPLACE INTO image_references (reference, image_id, target) VALUES (?, ?, ?)',
      reference,
      imageId,
      target,
    )
  }

  deleteReference(reference: string): void {
    this.#db.run('DELETE FROM image_references WHERE reference = ?', reference)
  }

  references(): ImageReferenceRow[] {
    return this.#db.all('SELECT reference, image_id, target FROM image_references').map((row) => ({
      reference: String(row.reference),
      imageId: String(row.image_id),
      target: String(row.target),
    }))
  }

  /** Runs `work` so that all its changes are kept or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }
}
