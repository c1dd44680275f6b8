#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"

namespace muster {

inline constexpr std::string_view kDefaultTenant = "DEFAULT_INSTANCE_ID";
inline constexpr std::string_view kDefaultGroup = "DEFAULT_GROUP";
inline constexpr std::string_view kDefaultZone = "DEFAULT_ZONE";
inline constexpr std::string_view kDefaultCenter = "DefaultDataCenter";

// What is discovered. SOFA clients call the tenant `instanceId`.
struct Service {
    std::string tenant{kDefaultTenant};
    std::string group{kDefaultGroup};
    std::string data_id;

    [[nodiscard]] auto operator<=>(const Service&) const = default;

    // Blank tenant and group become the defaults. Errors: invalid_argument when data_id is empty,
    // too long or a part holds "#@#" or a control character.
    [[nodiscard]] static Result<Service> make(std::string_view tenant, std::string_view group,
                                              std::string_view data_id);

    // "dataId#@#tenant#@#group", the name SOFA clients and operators of SOFARegistry know; also the
    // bytes that are hashed to a slot.
    [[nodiscard]] std::string data_info_id() const;

    // "tenant/group/dataId", the name everywhere else.
    [[nodiscard]] std::string path() const;
};

// Reads "tenant/group/dataId", "group/dataId" or "dataId" (the data id may itself hold slashes only
// in the first form). Errors: invalid_argument.
[[nodiscard]] Result<Service> parse_service_path(std::string_view text);

// Reads "dataId#@#tenant#@#group". Errors: invalid_argument.
[[nodiscard]] Result<Service> parse_data_info_id(std::string_view text);

using ServicePtr = std::shared_ptr<const Service>;

// The one value of a process for this service, shared by all that names it there; it ends with the
// last of them. Any thread.
[[nodiscard]] ServicePtr interned(Service service);

}  // namespace muster

template <>
struct std::hash<muster::Service> {
    [[nodiscard]] std::size_t operator()(const muster::Service& service) const;
};
