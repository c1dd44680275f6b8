#include "model/history.h"

#include <algorithm>

namespace muster {
namespace {

constexpr std::size_t kPlaceBytesMax = 64;

std::string ended_sentence(const HistoryRecord& record) {
    switch (record.cause) {
        case RemovalCause::left: return "its client said so";
        case RemovalCause::closed: return "its connection was closed without a word";
        case RemovalCause::silent: return "nothing was heard from its client in time";
        case RemovalCause::evicted: return "an operator removed it";
    }
    return "unknown";
}

// Who said so: "ana@ops1 said at session-1", or that somebody did.
std::string operator_said(const HistoryRecord& record) {
    return record.asked_by.empty() ? "an operator said"
                                   : record.asked_by + " said at " + record.by.raw();
}

std::string said_sentence(const HistoryRecord& record) {
    switch (record.what) {
        case HistoryRecord::What::removed:
        case HistoryRecord::What::held: return ended_sentence(record);
        case HistoryRecord::What::moved: return "its client speaks to this session";
        default: return "its client said so";
    }
}

}  // namespace

std::string_view to_string(HistoryRecord::What what) {
    using What = HistoryRecord::What;
    switch (what) {
        case What::registered: return "registered";
        case What::changed: return "changed";
        case What::moved: return "moved";
        case What::removed: return "removed";
        case What::held: return "held";
        case What::drained: return "drained";
        case What::restored: return "restored";
    }
    return "unknown";
}

std::string_view to_string(HistoryRecord::Why why) {
    using Why = HistoryRecord::Why;
    switch (why) {
        case Why::said: return "said";
        case Why::unlisted: return "unlisted";
        case Why::session_ended: return "session_ended";
        case Why::session_silent: return "session_silent";
        case Why::session_anew: return "session_anew";
        case Why::elsewhere: return "elsewhere";
        case Why::brake: return "brake";
        case Why::brake_over: return "brake_over";
        case Why::brake_confirmed: return "brake_confirmed";
        case Why::brake_released: return "brake_released";
        case Why::unclaimed: return "unclaimed";
        case Why::unclaimed_over: return "unclaimed_over";
        case Why::heard_again: return "heard_again";
        case Why::marked: return "marked";
    }
    return "unknown";
}

std::string sentence_of(const HistoryRecord& record) {
    using Why = HistoryRecord::Why;
    switch (record.why) {
        case Why::said: return said_sentence(record);
        case Why::unlisted: return "its session does not hold it any more";
        case Why::session_ended: return "its session ended, and its client came to no other";
        case Why::session_silent: return "its session fell silent, and its client came to no other";
        case Why::session_anew: return "its session started anew, and its client did not come back";
        case Why::elsewhere: return "its client said so on the other side of a cut";
        case Why::brake: return ended_sentence(record) + ", as many others at once: the brake";
        case Why::brake_over: return "the brake held it, and it was not heard again in time";
        case Why::brake_confirmed:
            return "the brake held it, and " + operator_said(record) + " it is gone";
        case Why::brake_released:
            return "the brake held it, and " + operator_said(record) + " it lives";
        case Why::unclaimed: return ended_sentence(record) + "; another session may have it";
        case Why::unclaimed_over: return ended_sentence(record) + ", and no session has it";
        case Why::heard_again: return "it had been held, and was heard again";
        case Why::marked:
            return record.asked_by.empty() ? "an operator said so"
                                           : record.asked_by + " asked at " + record.by.raw();
    }
    return "unknown";
}

std::string_view place_of(std::string_view box) {
    if (const auto scheme = box.find("://"); scheme != std::string_view::npos) {
        box.remove_prefix(scheme + 3);
    }
    return box.substr(0, std::min(box.find_first_of("?/"), kPlaceBytesMax));
}

}  // namespace muster
