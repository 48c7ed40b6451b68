// What happens when, in virtual milliseconds: a binary heap, equal times in the order in which they were added.
export class EventQueue {
  now = 0
  heap = []
  count = 0

  after(milliseconds, happen) {
    this.heap.push({ at: this.now + milliseconds, order: this.count++, happen })
    this.rise(this.heap.length - 1)
  }

  /** Lets everything happen that is due by `end`. */
  run(end) {
    while (this.heap.length > 0 && this.heap[0].at <= end) {
      const [next] = this.heap
      const last = this.heap.pop()
      if (this.heap.length > 0) {
        this.heap[0] = last
        this.sink(0)
      }
      this.now = next.at
      next.happen()
    }
    this.now = end
  }

  rise(at) {
    for (let child = at; child > 0; ) {
      const parent = (child - 1) >> 1
      if (!before(this.heap[child], this.heap[parent])) return
      this.swap(child, parent)
      child = parent
    }
  }

  sink(at) {
    for (let parent = at; ; ) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.heap.length && before(this.heap[child], this.heap[least])) least = child
      }
      if (least === parent) return
      this.swap(parent, least)
      parent = least
    }
  }

  swap(a, b) {
    ;[this.heap[a], this.heap[b]] = [this.heap[b], this.heap[a]]
  }
}

const before = (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order)
