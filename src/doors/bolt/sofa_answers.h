#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/datum.h"
#include "model/subscription.h"
#include "msg/client.h"

// What SOFARegistry clients in Java are told: Hessian content of
// com.alipay.sofa.registry.core.model.
namespace muster::doors::sofa {

inline constexpr std::string_view kRegisterResponse =
    "com.alipay.sofa.registry.core.model.RegisterResponse";
inline constexpr std::string_view kSyncConfigResponse =
    "com.alipay.sofa.registry.core.model.SyncConfigResponse";
inline constexpr std::string_view kReceivedData =
    "com.alipay.sofa.registry.core.model.ReceivedData";
inline constexpr std::string_view kReceivedConfigData =
    "com.alipay.sofa.registry.core.model.ReceivedConfigData";

// A client that is told another version than its own registers again for ever.
struct RegisterAnswer {
    bool success = false;
    std::string_view regist_id;
    std::int64_t version = 0;
    std::string_view message;
};

[[nodiscard]] std::string register_response(const RegisterAnswer& answer);

// Clients show the lists of `center` only.
[[nodiscard]] std::string sync_config_response(std::string_view center);

// ReceivedData in two parts: what all subscribers of one (service, scope, zone) share, and the ids
// of one connection's subscribers, which are put last for that reason.
struct SharedPush {
    const ServiceView& view;
    Scope scope;
    std::string_view zone;    // of the subscribers; empty: of all zones
    std::string_view center;  // the segment
};
[[nodiscard]] std::string received_data_body(const SharedPush& push);
[[nodiscard]] std::string received_data_tail(std::span<const std::string_view> subscribers);

[[nodiscard]] std::string received_config_data(const msg::ConfigPush& push);

}  // namespace muster::doors::sofa
