#include "log_relay.h"

namespace muster::sdk_core {

void LogRelay::write(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
    if (function_ == nullptr || silent_) {
        return;
    }
    std::string text;
    for (const LogField& field : fields) {
        text += text.empty() ? "" : " ";
        text.append(field.key).append("=");
        const bool plain = field.value.find(' ') == std::string::npos && !field.value.empty();
        text += plain ? field.value : "\"" + field.value + "\"";
    }
    function_(context_, static_cast<muster_log_level>(level), std::string(event).c_str(),
              text.c_str());
}

}  // namespace muster::sdk_core
