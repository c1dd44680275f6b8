#pragma once

#include <memory>

#include "raft/consensus.h"
#include "roles/meta/meta_state.h"

namespace muster::meta {

// The state as it is now, as the bytes of a snapshot (docs/protocol/meta_log.md), in parts. Taking
// it copies members, table and keys; values are shared.
[[nodiscard]] std::unique_ptr<raft::StateView> view_of(const MetaState& state);

}  // namespace muster::meta
