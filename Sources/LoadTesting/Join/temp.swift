extension LoadTotals {
  mutating func add(_ other: LoadTotals) {
    publishes += other.publishes
    acknowledged += other.acknowledged
    failedPublishes += other.failedPublishes
    deliveries += other.deliveries
    deliveredBytes += other.deliveredBytes
    connects += other.connects
    reconnects += other.reconnects
    connectFailures += other.connectFailures
    drops += other.drops
  }
}
