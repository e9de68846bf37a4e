import type { Database } from './database.ts'

/** A stored name of an image. `target` is the descriptor that the name stands for, as JSON text. */
export interface ImageReferenceRow {
  readonly reference: string
  readonly imageId: string
  readonly target: string
}

/** Rows of images and of their names. `R` is the record, which the image layer defines. */
export class ImageTable<R extends { readonly id: string }> {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds or replaces an image. */
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

  /** Every image, as JSON text: the caller parses each one, so that one broken record does not hide the others. */
  all(): { readonly id: string; readonly json: string }[] {
    return this.#db.all('SELECT id, record FROM images').map((row) => ({
      id: String(row.id),
      json: String(row.record),
    }))
  }

  /** Points a name to an image, and away from the image that had it. */
  putReference({ reference, imageId, target }: ImageReferenceRow): void {
    this.#db.run(
      'INSERT OR REPLACE INTO image_references (reference, image_id, target) VALUES (?, ?, ?)',
      reference,
      imageId,
      target,
    )
  }

  /** Removes a name; no error when there is none. */
  deleteReference(reference: string): void {
    this.#db.run('DELETE FROM image_references WHERE reference = ?', reference)
  }

  /** Every name, in no order. */
  references(): ImageReferenceRow[] {
    return this.#db.all('SELECT reference, image_id, target FROM image_references').map((row) => ({
      reference: String(row.reference),
      imageId: String(row.image_id),
      target: String(row.target),
    }))
  }

  /** All changes that `work` makes are kept, or none. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }
}
