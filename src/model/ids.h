#pragma once

#include <cstdint>
#include <string>

#include "base/id.h"

namespace muster {

using SlotId = Id<struct SlotIdTag, std::uint16_t>;

// Grows with every change of the slot table, and of one slot's leadership.
using Epoch = Id<struct EpochTag, std::uint64_t>;

// Version of a datum: physical milliseconds << 15 plus a count (design: invariant I2). Java reads
// it as a signed long, so it stays below 2^63. Zero: nothing seen yet.
using Version = Id<struct VersionTag, std::uint64_t>;

// Stable name of a node, chosen by its operator or made once and kept in its data folder.
using NodeId = Id<struct NodeIdTag, std::string>;

// One life of one process: larger after each start of the same node.
using Incarnation = Id<struct IncarnationTag, std::uint64_t>;

// Names one registration (publisher, subscriber or watcher); chosen by the client, stable across
// its reconnects (a UUID from SOFA clients).
using RegistId = Id<struct RegistIdTag, std::string>;

inline constexpr int kVersionCountBits = 15;

}  // namespace muster
