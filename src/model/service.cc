#include "model/service.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/hash.h"

namespace muster {
namespace {

constexpr std::string_view kSeparator = "#@#";
constexpr std::size_t kPartBytesMax = 2048;

bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == ' ' || c == '\t'; });
}

Result<void> check_part(std::string_view name, std::string_view text) {
    if (text.size() > kPartBytesMax) {
        return fail(Errc::invalid_argument, std::string(name) + " is longer than 2048 bytes");
    }
    if (text.find(kSeparator) != std::string_view::npos) {
        return fail(Errc::invalid_argument, std::string(name) + " holds the separator '#@#'");
    }
    const bool has_control = std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (has_control) {
        return fail(Errc::invalid_argument, std::string(name) + " holds a control character");
    }
    return {};
}

}  // namespace

Result<Service> Service::make(std::string_view tenant, std::string_view group,
                              std::string_view data_id) {
    if (is_blank(data_id)) {
        return fail(Errc::invalid_argument, "dataId is empty");
    }
    Service service{.tenant = std::string(is_blank(tenant) ? kDefaultTenant : tenant),
                    .group = std::string(is_blank(group) ? kDefaultGroup : group),
                    .data_id = std::string(data_id)};
    MUSTER_TRY(check_part("tenant", service.tenant));
    MUSTER_TRY(check_part("group", service.group));
    MUSTER_TRY(check_part("dataId", service.data_id));
    return service;
}

namespace {

class ServiceTable {
public:
    // Never destroyed: services may outlive whatever ends with the process.
    static ServiceTable& instance() {
        static auto* const table = new ServiceTable;
        return *table;
    }

    ServicePtr take(Service service) {
        const std::lock_guard lock(mutex_);
        std::weak_ptr<const Service>& known = services_[service];
        if (ServicePtr there = known.lock()) {
            return there;
        }
        const ServicePtr made(new Service(std::move(service)), [this](const Service* last) {
            forget(*last);
            delete last;
        });
        known = made;
        return made;
    }

private:
    // Unless another one was made since its last name went.
    void forget(const Service& service) {
        const std::lock_guard lock(mutex_);
        const auto known = services_.find(service);
        if (known != services_.end() && known->second.expired()) {
            services_.erase(known);
        }
    }

    std::mutex mutex_;
    std::unordered_map<Service, std::weak_ptr<const Service>> services_;
};

}  // namespace

ServicePtr interned(Service service) {
    return ServiceTable::instance().take(std::move(service));
}

std::string Service::data_info_id() const {
    std::string text;
    text.reserve(data_id.size() + tenant.size() + group.size() + 2 * kSeparator.size());
    text.append(data_id).append(kSeparator).append(tenant).append(kSeparator).append(group);
    return text;
}

std::string Service::path() const {
    return tenant + "/" + group + "/" + data_id;
}

Result<Service> parse_service_path(std::string_view text) {
    const auto first = text.find('/');
    if (first == std::string_view::npos) {
        return Service::make({}, {}, text);
    }
    const auto second = text.find('/', first + 1);
    if (second == std::string_view::npos) {
        return Service::make({}, text.substr(0, first), text.substr(first + 1));
    }
    return Service::make(text.substr(0, first), text.substr(first + 1, second - first - 1),
                         text.substr(second + 1));
}

Result<Service> parse_data_info_id(std::string_view text) {
    const auto first = text.find(kSeparator);
    const auto second = first == std::string_view::npos
                            ? std::string_view::npos
                            : text.find(kSeparator, first + kSeparator.size());
    if (second == std::string_view::npos) {
        return fail(Errc::invalid_argument,
                    "'" + std::string(text) + "' is not of the form dataId#@#tenant#@#group");
    }
    const auto tenant_at = first + kSeparator.size();
    return Service::make(text.substr(tenant_at, second - tenant_at),
                         text.substr(second + kSeparator.size()), text.substr(0, first));
}

}  // namespace muster

std::size_t std::hash<muster::Service>::operator()(const muster::Service& service) const {
    return muster::hash64(service.data_id,
                          muster::hash64(service.group, muster::hash64(service.tenant)));
}
