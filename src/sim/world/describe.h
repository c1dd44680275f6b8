#pragma once

#include <string>

#include "model/datum.h"
#include "msg/client.h"
#include "msg/cluster.h"
#include "msg/outbox.h"

namespace muster::sim {

// Messages as short lines for the trace: their kind, and what tells them from others.
[[nodiscard]] std::string describe(const msg::ClusterMessage& message);
[[nodiscard]] std::string describe(const msg::ClientMessage& message);
[[nodiscard]] std::string describe(const msg::RequestReply& reply);
[[nodiscard]] std::string describe(const msg::Push& push);
[[nodiscard]] std::string describe(const msg::ConfigPush& push);
[[nodiscard]] std::string describe(const msg::RoleAddress& address);
[[nodiscard]] std::string describe(const Publication& publication);

}  // namespace muster::sim
