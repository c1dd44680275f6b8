#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/publication.h"
#include "wire/hessian/reader.h"

// What SOFARegistry clients in Java say: the beans of com.alipay.sofa.registry.core.model, read by
// field name from Hessian content. As tolerant as the Java reader: fields may be missing, unknown,
// in any order, of a neighbouring type, or in a typed map.
namespace muster::doors::sofa {

inline constexpr std::string_view kPublisherRegister =
    "com.alipay.sofa.registry.core.model.PublisherRegister";
inline constexpr std::string_view kSubscriberRegister =
    "com.alipay.sofa.registry.core.model.SubscriberRegister";
inline constexpr std::string_view kConfiguratorRegister =
    "com.alipay.sofa.registry.core.model.ConfiguratorRegister";
inline constexpr std::string_view kSyncConfigRequest =
    "com.alipay.sofa.registry.core.model.SyncConfigRequest";

// What one registration may cost once references to shared boxes are followed.
struct RequestLimits {
    hessian::HessianLimits hessian;
    std::size_t boxes_bytes_max = std::size_t{16} << 20U;
    std::size_t regist_id_bytes_max = 256;
};

// A publisher, subscriber or configurator, registering or leaving. Names are UTF-8; boxes keep
// every UTF-16 unit (WTF-8). A null string is empty.
struct RegisterRequest {
    std::string tenant;
    std::string group;
    std::string data_id;
    std::string regist_id;
    std::string event_type;  // "REGISTER" or "UNREGISTER"
    std::string zone;
    std::string app;
    std::string scope;  // subscribers
    RegistOrder order;
    std::vector<std::string> boxes;  // publishers
    std::map<std::string, std::string> attributes;
};

// Errors: bad_content (no such bean), too_large.
[[nodiscard]] Result<RegisterRequest> read_register(std::string_view content,
                                                    const RequestLimits& limits);

// Result.success of the answer to a push; missing is false. Errors: bad_content, too_large.
[[nodiscard]] Result<bool> read_push_result(std::string_view content, const RequestLimits& limits);

// Only that it is a bean. Errors: bad_content, too_large.
[[nodiscard]] Result<void> read_sync_config(std::string_view content, const RequestLimits& limits);

}  // namespace muster::doors::sofa
