#include <algorithm>
#include <tuple>

#include "roles/session/session_impl.h"

// How far this session's subscribers of one service are (roles/propagation).
namespace muster::session {
namespace {

// Whether the client of `list` has acknowledged what is asked for.
class Reached {
public:
    Reached(const msg::ReachRequest& request, const DatumCopy& copy)
        : copy_(copy),
          newest_(request.version == Version{} ? copy.version : request.version),
          lists_without_(!request.without.empty()),
          without_since_(DatumCopies::without_since(copy, request.without)) {}

    [[nodiscard]] bool operator()(const List& list) const {
        // What it says to hold is not believed before it has confirmed it.
        const bool told_here = list.acknowledged != Version{} && !list.claimed() && !list.stray() &&
                               list.in_flight() != list.acknowledged;
        if (!lists_without_) {
            return told_here && list.acknowledged >= newest_;
        }
        // What it holds must be one of the lists that led here, not another leader's.
        return told_here && without_since_ && list.acknowledged >= *without_since_ &&
               list.acknowledged <= copy_.version;
    }

private:
    const DatumCopy& copy_;
    Version newest_;
    bool lists_without_;
    std::optional<Version> without_since_;
};

// Who is behind for longest comes first, then who has the oldest list.
bool is_further_behind(const msg::SubscriberLine& a, const msg::SubscriberLine& b) {
    return std::tuple(b.behind, b.behind_ms, a.acknowledged, std::tie(a.client_address, a.zone)) <
           std::tuple(a.behind, a.behind_ms, b.acknowledged, std::tie(b.client_address, b.zone));
}

}  // namespace

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::ReachRequest& request) {
    if (request.without.size() > msg::ReachRequest::kWithoutMax) {
        return;  // nobody who keeps to the bounds asks so
    }
    msg::ReachReply reply{.incarnation = request.incarnation,
                          .request = request.request,
                          .asker = request.asker,
                          .asker_role = request.asker_role,
                          .session = options_.node,
                          .version = {},
                          .lines = {}};
    const DatumCopy* copy = copies_.find(*request.service);
    const ListsOfService* of = pusher_.lists().of(*request.service);
    const MonoTime now = env_.clock.mono();
    if (request.measure_ms > 0) {
        const auto most = std::min(request.measure_ms, msg::ReachRequest::kMeasureMsMax);
        stages_.measure(*request.service, now, now + std::chrono::milliseconds(most));
    }
    if (auto measured = stages_.of(*request.service)) {
        reply.stages = std::move(measured->stages);
        reply.measured_ms = to_ms(now - measured->since);
    }
    if (copy != nullptr) {
        reply.version = copy->version;
        reply.complete = copy->complete;
    }
    if (copy != nullptr && of != nullptr) {
        const Reached reached(request, *copy);
        for (const auto& [key, list] : of->lists) {
            const bool behind = !reached(list);
            ++reply.lists;
            reply.behind += behind ? 1 : 0;
            reply.congested += congested(key.conn) ? 1 : 0;
            if (behind || request.without.empty()) {
                reply.lines.push_back(line_of(key, list, *copy));
                reply.lines.back().behind = behind;
            }
        }
    }
    const std::size_t most =
        std::min<std::size_t>({reply.lines.size(), request.limit, msg::ReachRequest::kLimitMax});
    std::ranges::partial_sort(reply.lines, reply.lines.begin() + static_cast<std::ptrdiff_t>(most),
                              is_further_behind);
    reply.lines.resize(most);
    env_.outbox.send(from, std::move(reply));
}

bool SessionServer::Impl::congested(env::ConnId conn) const {
    const auto client = clients_.find(conn);
    return client != clients_.end() && client->second.port->congested(conn);
}

msg::SubscriberLine SessionServer::Impl::line_of(const ListKey& key, const List& list,
                                                 const DatumCopy& copy) const {
    msg::SubscriberLine line{.client_address = {},
                             .door = {},
                             .app = {},
                             .scope = key.scope,
                             .zone = std::string(key.zone.view()),
                             .subscriptions = static_cast<std::uint32_t>(list.subscribers()),
                             .acknowledged = list.acknowledged,
                             .in_flight = list.in_flight(),
                             .congested = congested(key.conn),
                             .changes = DatumCopies::steps_since(copy, list.acknowledged)};
    if (const auto client = clients_.find(key.conn); client != clients_.end()) {
        line.client_address = client->second.info.address;
        line.door = client->second.info.door;
        line.app = client->second.app.view();
    }
    if (const auto since = list.behind_since()) {
        line.behind_ms = to_ms(env_.clock.mono() - *since);
    }
    return line;
}

}  // namespace muster::session
