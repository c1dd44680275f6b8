#include <charconv>

#include "doors/http/list_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

constexpr Duration kPollTimeout = std::chrono::seconds(30);
constexpr Duration kPollTimeoutMax = std::chrono::minutes(5);

Result<std::optional<Version>> read_version(std::optional<std::string_view> text,
                                            std::string_view name) {
    if (!text || text->empty()) {
        return std::nullopt;
    }
    std::uint64_t version = 0;
    const auto [end, error] = std::from_chars(text->begin(), text->end(), version);
    if (error != std::errc{} || end != text->end()) {
        return fail(Errc::invalid_argument, std::string(name) +
                                                " is the version of an earlier answer, not '" +
                                                std::string(*text) + "'");
    }
    return Version(version);
}

Result<ListWish> list_wish(const Call& call, const Site& site) {
    auto service = call.service();
    MUSTER_TRY(service);
    auto view = call.view();
    MUSTER_TRY(view);
    return ListWish{.service = *std::move(service),
                    .scope = view->scope,
                    .zone = std::move(view->zone),
                    .known_within = site.list_wait};
}

Result<Answer> watch(const Call& call, Site& site) {
    auto wish = list_wish(call, site);
    MUSTER_TRY(wish);
    const auto above = read_version(call.query.get("version"), "version");
    MUSTER_TRY(above);
    const auto timeout = call.duration("timeout", kPollTimeout, kPollTimeoutMax);
    MUSTER_TRY(timeout);
    return std::make_unique<LongPollOp>(*std::move(wish), *above, *timeout);
}

Result<Answer> events(const Call& call, Site& site) {
    auto wish = list_wish(call, site);
    MUSTER_TRY(wish);
    const auto last = read_version(call.request.header("Last-Event-ID"), "Last-Event-ID");
    MUSTER_TRY(last);
    return std::make_unique<EventStreamOp>(*std::move(wish), *last, EventStreamOptions{});
}

}  // namespace

void add_watch_routes(Router& router) {
    for (const std::string base : {"/api/v1/services/{tenant}/{group}/{dataId}", "/api/v1"}) {
        router.add(
            {"GET", base + "/watch", watch, "the next change, by long poll", RouteKind::streaming});
        router.add({"GET", base + "/events", events, "all changes, as Server-Sent Events",
                    RouteKind::streaming});
    }
}

}  // namespace muster::http
