#include "doors/http/instance_ids.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace muster::http {
namespace {

constexpr std::string_view kPrefix = "http:";
constexpr std::size_t kHashDigits = 32;

}  // namespace

RegistId regist_id_of(const Service& service, std::string_view instance_id) {
    const SetDigest hash = digest_of(std::string_view(service.data_info_id()));
    return RegistId(fmt::format("{}{:016x}{:016x}:{}", kPrefix, hash.high, hash.low, instance_id));
}

std::string_view instance_id_of(const RegistId& id) {
    const std::string_view text = id.raw();
    const std::size_t begin = kPrefix.size() + kHashDigits + 1;
    const bool ours = text.starts_with(kPrefix) && text.size() > begin && text[begin - 1] == ':';
    return ours ? text.substr(begin) : text;
}

}  // namespace muster::http
