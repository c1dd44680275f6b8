#include <fmt/format.h>

#include "c_api.h"
#include "settings.h"

using muster::sdk_core::failed;
using muster::sdk_core::Failure;
using muster::sdk_core::guarded;
using muster::sdk_core::ms;
using muster::sdk_core::Outcome;
using muster::sdk_core::report;
using muster::sdk_core::service_of;
using muster::sdk_core::write_struct;

namespace {

// What showing again waits for at most: that a server is connected, and that the registry answers.
constexpr std::uint32_t kRestoreTimeoutMs = 10'000;
// Of those who have not acknowledged, in a message.
constexpr std::size_t kNamed = 5;

muster_drain_report report_of(const muster::msg::MarkOutcome& outcome) {
    muster_drain_report made;
    muster_drain_report_init(&made);
    made.instances = static_cast<std::uint32_t>(outcome.ids.size());
    made.changed = outcome.changed;
    made.others = outcome.others;
    made.subscribers = outcome.lists;
    made.behind = outcome.behind;
    made.confirmed = outcome.confirmed ? 1 : 0;
    made.gone = outcome.gone ? 1 : 0;
    made.waited_ms = static_cast<std::uint32_t>(muster::to_ms(outcome.waited));
    return made;
}

std::string why_not(const muster::msg::MarkOutcome& outcome, const char* address) {
    std::string text = fmt::format("{} of {} subscribers have not acknowledged a list without {}",
                                   outcome.behind, outcome.lists, address);
    for (std::size_t i = 0; i < outcome.lines.size() && i < kNamed; ++i) {
        const auto& line = outcome.lines[i];
        text += fmt::format("{} {}{}{} at {}", i == 0 ? ":" : ",", line.client_address,
                            line.app.empty() ? "" : " ", line.app, line.session);
    }
    for (const std::string& node : outcome.silent) {
        text += fmt::format(", {} did not answer", node);
    }
    return text;
}

// Tells what came of it in `told`, when there is room for it, and returns how it went.
muster_status mark(muster_client* client, const char* service, const char* address,
                   muster::msg::MarkWish wish, muster::Duration patience,
                   muster_drain_report* told) {
    if (client == nullptr || service == nullptr || address == nullptr) {
        return report(Failure{MUSTER_INVALID_ARGUMENT, "an argument is NULL"});
    }
    return guarded([&] {
        auto named = service_of(service);
        if (!named) {
            return report(named);
        }
        wish.service = std::make_shared<const muster::Service>(*std::move(named));
        wish.address = address;
        const bool drains = wish.kind == muster::Mark::Kind::drained;
        const auto outcome = client->core->mark(std::move(wish), patience);
        if (!outcome) {
            return report(outcome);
        }
        if (told != nullptr) {
            if (const muster_status status = write_struct(report_of(*outcome), told);
                status != MUSTER_OK) {
                return status;
            }
        }
        return drains && !outcome->confirmed
                   ? report(Failure{MUSTER_TIMEOUT, why_not(*outcome, address)})
                   : MUSTER_OK;
    });
}

}  // namespace

void muster_drain_report_init(muster_drain_report* report) {
    *report = muster_drain_report{.size = sizeof(muster_drain_report)};
}

muster_status muster_drain(muster_client* client, const char* service, const char* address,
                           uint32_t timeout_ms, muster_drain_report* report) {
    return mark(client, service, address,
                {.service = nullptr,
                 .address = {},
                 .kind = muster::Mark::Kind::drained,
                 .timeout = ms(timeout_ms)},
                ms(timeout_ms), report);
}

muster_status muster_restore(muster_client* client, const char* service, const char* address,
                             uint32_t ramp_ms, muster_drain_report* report) {
    return mark(client, service, address,
                {.service = nullptr,
                 .address = {},
                 .kind = muster::Mark::Kind::restored,
                 .ramp = ms(ramp_ms)},
                ms(kRestoreTimeoutMs), report);
}
