extension WatchHub {
  func writeMetrics(into text: inout MetricsText) {
    text.family("swarmoracle_watches", .gauge, "Watches that are open.")
    text.sample(UInt64(watchCount))
    text.family("swarmoracle_lock_waits", .gauge, "Requests that wait for a lock.")
    text.sample(UInt64(lockWaitCount))
    text.family("swarmoracle_watches_opened_total", .counter, "Watches opened.")
    text.sample(counters.opened)
    text.family(
      "swarmoracle_watches_refused_total", .counter, "Watches refused for want of room.")
    text.sample(counters.refused)
    text.family("swarmoracle_watch_events_total", .counter, "Events shown to watches.")
    text.sample(counters.events)
    text.family(
      "swarmoracle_watches_ended_total", .counter, "Watches ended by this node, by reason.")
    text.sample(counters.compacted, [("reason", "compacted")])
    text.sample(counters.tooSlow, [("reason", "slow")])
  }
}
