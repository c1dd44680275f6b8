#pragma once

#include <string>
#include <vector>

#include "model/datum.h"
#include "msg/cluster.h"
#include "roles/session/query_face.h"

// What the API shows, as JSON. Versions are strings: they pass 2^53, where JavaScript's numbers
// stop being exact.
namespace muster::http {

// {"service":..,"version":"..","complete":true,"instances":[..]} in order of id.
[[nodiscard]] std::string list_json(const ServiceView& view);

// The same with "changed":true before it: the answer of a long poll.
[[nodiscard]] std::string changed_json(const ServiceView& view);

// {"service":..,"version":"..","changed":false}.
[[nodiscard]] std::string unchanged_json(const Service& service, Version version);

// A Server-Sent Event "list" whose id is the version.
[[nodiscard]] std::string list_event(const ServiceView& view);

[[nodiscard]] std::string services_json(const msg::ListServicesReply& reply);
[[nodiscard]] std::string subscribers_json(const Service& service,
                                           const std::vector<session::SubscriberInfo>& subscribers);
// {"flapping":[..],"damped":..}; there are more when the list is shorter than the number.
[[nodiscard]] std::string flapping_json(const std::vector<session::FlappingInstance>& instances,
                                        std::size_t damped);
[[nodiscard]] std::string status_json(const session::SessionStatus& status,
                                      const std::string& center,
                                      const std::vector<std::string>& servers);

}  // namespace muster::http
