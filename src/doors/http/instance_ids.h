#pragma once

#include <string_view>

#include "model/ids.h"
#include "model/service.h"

namespace muster::http {

// An instance id of the HTTP API names an instance within its service; registration ids are one
// name space for all. The registration id is "http:<32 hex digits of the service's hash>:<instance
// id>".
[[nodiscard]] RegistId regist_id_of(const Service& service, std::string_view instance_id);

// The instance id of a registration made by HTTP; the whole registration id of any other.
[[nodiscard]] std::string_view instance_id_of(const RegistId& id);

}  // namespace muster::http
