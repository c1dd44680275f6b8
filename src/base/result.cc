#include "base/result.h"

namespace muster {

std::unexpected<Error> wrap(std::string_view context, Error error) {
    error.detail =
        error.detail.empty() ? std::string(context) : std::string(context) + ": " + error.detail;
    return std::unexpected(std::move(error));
}

std::string to_string(const Error& error) {
    std::string text(info(error.code).text);
    if (!error.detail.empty()) {
        text += ": ";
        text += error.detail;
    }
    return text;
}

}  // namespace muster
