#include "doors/http/session_queue.h"

#include "base/check.h"

namespace muster::http {

void SessionQueue::open(env::ConnId conn, session::ClientInfo info) {
    entries_.emplace_back(Open{conn, std::move(info)});
}
void SessionQueue::tell(env::ConnId conn, msg::ClientMessage message) {
    entries_.emplace_back(Tell{conn, std::move(message)});
}
void SessionQueue::drained(env::ConnId conn) {
    entries_.emplace_back(Drained{conn});
}
void SessionQueue::closed(env::ConnId conn) {
    entries_.emplace_back(Closed{conn});
}
void SessionQueue::query_services(std::uint64_t token, msg::ListServices query) {
    entries_.emplace_back(QueryServices{token, std::move(query)});
}
void SessionQueue::put_config(std::uint64_t token, Service key, std::optional<std::string> value) {
    entries_.emplace_back(PutConfig{token, std::move(key), std::move(value)});
}

void SessionQueue::ask_cluster(std::uint64_t token, msg::OperatorRequest::What what) {
    entries_.emplace_back(AskCluster{token, std::move(what)});
}

void SessionQueue::ask_brake(std::uint64_t token, BrakeWish wish) {
    entries_.emplace_back(AskBrake{token, std::move(wish)});
}

void SessionQueue::ask_verify(std::uint64_t token) {
    entries_.emplace_back(AskVerify{token});
}

void SessionQueue::ask_propagation(std::uint64_t token, propagation::Question wish) {
    entries_.emplace_back(AskPropagation{token, std::move(wish)});
}

void SessionQueue::ask_mark(std::uint64_t token, propagation::DrainWish wish) {
    entries_.emplace_back(AskMark{token, std::move(wish)});
}

void SessionQueue::ask_history(std::uint64_t token, propagation::HistoryQuestion question) {
    entries_.emplace_back(AskHistory{token, std::move(question)});
}

bool SessionQueue::deliver_next(const Ends& ends) {
    if (entries_.empty()) {
        return false;
    }
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    deliver(std::move(entry), ends);
    return true;
}

void SessionQueue::deliver(Entry entry, const Ends& ends) {
    if (auto* open = std::get_if<Open>(&entry)) {
        ends.clients.on_client_open(open->conn, std::move(open->info), ends.client_port);
    } else if (auto* tell = std::get_if<Tell>(&entry)) {
        ends.clients.on_client_message(tell->conn, tell->message);
    } else if (auto* drained = std::get_if<Drained>(&entry)) {
        ends.clients.on_client_drained(drained->conn);
    } else if (auto* closed = std::get_if<Closed>(&entry)) {
        ends.clients.on_client_closed(closed->conn);
    } else if (auto* services = std::get_if<QueryServices>(&entry)) {
        ends.queries.query_services(services->token, services->query, ends.query_port);
    } else if (auto* put = std::get_if<PutConfig>(&entry)) {
        ends.queries.put_config(put->token, put->key, std::move(put->value), ends.query_port);
    } else if (auto* ask = std::get_if<AskCluster>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_cluster(ask->token, std::move(ask->what), ends.cluster_port);
    } else if (auto* brake = std::get_if<AskBrake>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_brake(brake->token, std::move(brake->wish), ends.cluster_port);
    } else if (auto* verify = std::get_if<AskVerify>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_verify(verify->token, ends.cluster_port);
    } else if (auto* propagation = std::get_if<AskPropagation>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_propagation(propagation->token, std::move(propagation->wish),
                                      ends.cluster_port);
    } else if (auto* mark = std::get_if<AskMark>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_mark(mark->token, std::move(mark->wish), ends.cluster_port);
    } else if (auto* history = std::get_if<AskHistory>(&entry)) {
        CHECK(ends.cluster != nullptr);
        ends.cluster->ask_history(history->token, std::move(history->question), ends.cluster_port);
    }
}

}  // namespace muster::http
