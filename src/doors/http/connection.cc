#include "doors/http/connection.h"

#include "base/check.h"
#include "doors/http/errors.h"
#include "doors/http/list_ops.h"

namespace muster::http {
namespace {

constexpr int kRequestTimeout = 408;

env::TimerKey key_of(env::ConnId conn) {
    return env::TimerKey(conn.raw());
}

}  // namespace

Connection::Connection(env::ConnId conn, std::string peer, DoorState& door)
    : conn_(conn), peer_(std::move(peer)), door_(door), parser_(door.options.limits) {
    phase_ = Phase::idle;
    door_.timers.arm(key_of(conn_), door_.options.idle_wait);
}

// ---- bytes

void Connection::on_bytes(std::string_view bytes) {
    if (is_closed() || input_over_) {
        return;
    }
    if (const auto taken = parser_.append(bytes); !taken) {
        waiting_.emplace_back(taken.error());
        input_over_ = true;
    }
    parse();
    door_.runnable.push_back(conn_);
}

void Connection::parse() {
    while (!input_over_) {
        auto step = parser_.next();
        if (std::holds_alternative<http1::NeedMore>(step)) {
            return;
        }
        if (auto* error = std::get_if<Error>(&step)) {
            waiting_.emplace_back(std::move(*error));
            input_over_ = true;
        } else if (waiting_.size() >= door_.options.pipeline_max ||
                   waiting_bytes_ > door_.options.limits.body_bytes_max) {
            waiting_.emplace_back(
                Error{Errc::over_limit, "too many requests were sent ahead of their answers"});
            door_.counters.refuse(Refusal::pipelining);
            input_over_ = true;
        } else {
            ++messages_;
            continued_ = false;
            auto& request = std::get<http1::Request>(step);
            waiting_bytes_ += request.body.size();
            waiting_.emplace_back(std::move(request));
        }
    }
}

void Connection::continue_if_awaited() {
    if (!op_ && waiting_.empty() && !input_over_ && !continued_ && parser_.awaits_continue()) {
        continued_ = true;
        door_.net.send(conn_, std::string(http1::continue_response()));
    }
}

// ---- requests

void Connection::run() {
    while (!is_closed() && !op_ && !waiting_.empty() && !congested()) {
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        if (auto* error = std::get_if<Error>(&next)) {
            if (error->code != Errc::over_limit) {
                door_.counters.refuse(error->code == Errc::too_large ? Refusal::too_large
                                                                     : Refusal::malformed);
            }
            respond_and_close(*error, info(error->code).http_status);
        } else {
            auto& request = std::get<http1::Request>(next);
            waiting_bytes_ -= request.body.size();
            serve(std::move(request));
        }
    }
    if (!is_closed()) {
        continue_if_awaited();
        update_phase();
    }
}

void Connection::serve(http1::Request request) {
    began_ = door_.clock.mono();
    std::vector<std::string> nearest;
    std::string allow;
    auto answer = route(std::move(request), nearest, allow);
    if (!answer) {
        http1::Response response = error_response(answer.error(), nearest);
        if (!allow.empty()) {
            response.headers.push_back({"Allow", allow});
        }
        respond(std::move(response));
    } else if (auto* op = std::get_if<std::unique_ptr<Op>>(&*answer)) {
        start(std::move(*op));
    } else {
        respond(std::get<http1::Response>(*std::move(answer)));
    }
}

Result<Answer> Connection::route(http1::Request request, std::vector<std::string>& nearest,
                                 std::string& allow) {
    route_.reset();
    call_.emplace(Call{.conn = conn_, .peer = peer_, .request = std::move(request)});
    const auto target = http1::split_target(call_->request.target);
    MUSTER_TRY(target);
    const auto segments = http1::split_path(target->path);
    MUSTER_TRY(segments);
    auto match = door_.router.match(call_->request.method, *segments);
    if (auto* none = std::get_if<NoRoute>(&match)) {
        nearest = std::move(none->nearest);
        door_.counters.refuse(Refusal::unknown_route);
        return muster::fail(Errc::unknown_route, std::string(target->path));
    }
    if (auto* wrong = std::get_if<WrongMethod>(&match)) {
        allow = std::move(wrong->allow);
        door_.counters.refuse(Refusal::method);
        return muster::fail(Errc::method_not_allowed,
                            call_->request.method + " here, where " + allow + " are known");
    }
    auto& found = std::get<RouteMatch>(match);
    const Route& route = door_.router.routes()[found.index];
    route_ = found.index;
    call_->params = std::move(found.params);
    if (route.kind == RouteKind::lenient_query) {
        call_->query = http1::Query::parse_leniently(target->query);
    } else {
        auto query = http1::Query::parse(target->query);
        MUSTER_TRY(query);
        call_->query = *std::move(query);
    }
    if (route.kind == RouteKind::question) {
        MUSTER_TRY(door_.queries.admit_query(peer_, call_->tenant()));
    }
    return route.handler(*call_, door_.site);
}

void Connection::respond(http1::Response response) {
    count_answer(response.status);
    const bool keep = call_->request.keep_alive;
    const bool head_only = call_->request.method == "HEAD";
    door_.net.send(conn_, http1::write_response(response, {.keep_alive = keep,
                                                           .head_only = head_only,
                                                           .date = door_.clock.wall()}));
    call_.reset();
    if (!keep) {
        close();
    }
}

void Connection::respond_and_close(const Error& error, int status) {
    http1::Response response = error_response(error);
    response.status = status;
    door_.net.send(
        conn_, http1::write_response(response, {.keep_alive = false, .date = door_.clock.wall()}));
    close();
}

void Connection::count_answer(int status) {
    if (route_) {
        door_.counters.answers[*route_][static_cast<std::size_t>(status / 100 - 1)].add();
    }
    if (!op_ || !op_->is_stream()) {
        door_.counters.latency.record(door_.clock.mono() - began_);
    }
}

// ---- the Op

void Connection::start(std::unique_ptr<Op> op) {
    if (op->is_stream() && door_.streams >= door_.options.streams_max) {
        door_.counters.refuse(Refusal::streams);
        respond(error_response({Errc::over_limit, "this server holds the most watches it may, " +
                                                      std::to_string(door_.options.streams_max)}));
        return;
    }
    door_.streams += op->is_stream() ? 1 : 0;
    op_ = std::move(op);
    finished_ = false;
    phase_ = Phase::op;
    with_op([this] { op_->start(*this); });
}

// Calls the Op unless there is none, and ends it when that gave its answer.
template <typename Step>
void Connection::with_op(Step step) {
    if (is_closed() || !op_ || finished_) {
        return;
    }
    step();
    if (finished_ && op_) {
        end_op();
    }
}

void Connection::end_op() {
    if (!is_closed()) {
        op_->stop(*this);
        door_.streams -= op_->is_stream() ? 1 : 0;
        door_.runnable.push_back(conn_);
    }
    for (const auto token : tokens_) {
        door_.tokens.erase(token);
    }
    tokens_.clear();
    op_.reset();
    update_phase();
}

void Connection::on_reply(const msg::RequestReply& reply) {
    with_op([&] { op_->on_reply(*this, reply); });
}

void Connection::on_push(ListPush& push, std::span<const std::string_view> subscribers) {
    Ack ack = Ack::now;
    const auto acknowledge = [&] {
        if (ack == Ack::now && !is_closed()) {
            const auto& order = push.order();
            tell(ack_of(order.view->service, order.scope, order.zone, order.view->version));
        }
    };
    if (is_closed() || !op_ || finished_) {
        acknowledge();
        return;
    }
    with_op([&] {
        ack = op_->on_push(*this, push, subscribers);
        acknowledge();
    });
}

void Connection::on_config(const msg::ConfigPush& push) {
    with_op([&] { op_->on_config(*this, push); });
}

void Connection::on_services(std::uint64_t token, const msg::ListServicesReply& reply) {
    with_op([&] { op_->on_services(*this, token, reply); });
}

void Connection::on_config_put(std::uint64_t token, const Result<Version>& result) {
    with_op([&] { op_->on_config_put(*this, token, result); });
}

void Connection::on_cluster(std::uint64_t token, const ClusterAnswer& answer) {
    with_op([&] { op_->on_cluster(*this, token, answer); });
}

void Connection::on_brake(std::uint64_t token, const BrakeOutcome& outcome) {
    with_op([&] { op_->on_brake(*this, token, outcome); });
}

void Connection::on_verify(std::uint64_t token, const Result<verify::Report>& report) {
    with_op([&] { op_->on_verify(*this, token, report); });
}

void Connection::on_propagation(std::uint64_t token, const Result<propagation::Report>& outcome) {
    with_op([&] { op_->on_propagation(*this, token, outcome); });
}

void Connection::on_marked(std::uint64_t token, const Result<propagation::DrainReport>& outcome) {
    with_op([&] { op_->on_marked(*this, token, outcome); });
}

void Connection::on_history(std::uint64_t token,
                            const Result<propagation::HistoryReport>& outcome) {
    with_op([&] { op_->on_history(*this, token, outcome); });
}

void Connection::on_drained() {
    if (is_closed()) {
        return;
    }
    if (known_to_session_) {
        door_.to_session.drained(conn_);
    }
    with_op([&] { op_->on_drained(*this); });
    door_.runnable.push_back(conn_);
}

// ---- time

void Connection::on_deadline() {
    switch (phase_) {
        case Phase::closed: return;
        case Phase::op: with_op([&] { op_->on_deadline(*this); }); return;
        case Phase::idle:
            door_.counters.idle_closed.add();
            close();
            return;
        case Phase::writing:
            door_.counters.refuse(Refusal::slow_reader);
            close();
            return;
        case Phase::head:
        case Phase::body:
            door_.counters.refuse(Refusal::slow_request);
            respond_and_close({Errc::timeout, "the request did not arrive in time"},
                              kRequestTimeout);
            return;
    }
}

void Connection::update_phase() {
    if (is_closed() || op_) {
        return;
    }
    Phase next = Phase::idle;
    Duration wait = door_.options.idle_wait;
    if (congested()) {
        next = Phase::writing;
        wait = door_.options.write_wait;
    } else if (parser_.in_body()) {
        next = Phase::body;
        wait = door_.options.body_wait;
    } else if (parser_.in_message()) {
        next = Phase::head;
        wait = door_.options.head_wait;
    }
    if (next != phase_ || phase_message_ != messages_) {
        phase_ = next;
        phase_message_ = messages_;
        door_.timers.arm(key_of(conn_), wait);
    }
}

// ---- the end

void Connection::close() {
    if (!is_closed()) {
        door_.net.close(conn_);
        on_peer_closed();
    }
}

void Connection::on_peer_closed() {
    if (is_closed()) {
        return;
    }
    if (known_to_session_) {
        door_.to_session.closed(conn_);
    }
    forget();
}

void Connection::on_session_closes() {
    if (!is_closed()) {
        door_.net.close(conn_);
        forget();
    }
}

// The Op may be on the stack: it goes with the connection at the end of the turn.
void Connection::forget() {
    phase_ = Phase::closed;
    door_.streams -= op_ && op_->is_stream() ? 1 : 0;
    for (const auto token : tokens_) {
        door_.tokens.erase(token);
    }
    tokens_.clear();
    door_.timers.cancel(key_of(conn_));
    door_.gone.push_back(conn_);
}

// ---- OpHost

void Connection::tell(msg::ClientMessage message) {
    if (!known_to_session_) {
        known_to_session_ = true;
        door_.to_session.open(conn_, {.address = peer_, .door = "http"});
    }
    door_.to_session.tell(conn_, std::move(message));
}

void Connection::query_services(std::uint64_t token, msg::ListServices query) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.query_services(token, std::move(query));
}

void Connection::put_config(std::uint64_t token, const Service& key,
                            std::optional<std::string> value) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.put_config(token, key, std::move(value));
}

void Connection::ask_cluster(std::uint64_t token, msg::OperatorRequest::What what) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_cluster(token, std::move(what));
}

void Connection::ask_brake(std::uint64_t token, BrakeWish wish) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_brake(token, std::move(wish));
}

void Connection::ask_verify(std::uint64_t token) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_verify(token);
}

void Connection::ask_propagation(std::uint64_t token, propagation::Question wish) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_propagation(token, std::move(wish));
}

void Connection::ask_mark(std::uint64_t token, propagation::DrainWish wish) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_mark(token, std::move(wish));
}

void Connection::ask_history(std::uint64_t token, propagation::HistoryQuestion question) {
    tokens_.push_back(token);
    door_.tokens.emplace(token, conn_);
    door_.to_session.ask_history(token, std::move(question));
}

std::uint64_t Connection::next_number() {
    return ++door_.last_number;
}

void Connection::set_deadline(Duration delay) {
    door_.timers.arm(key_of(conn_), delay);
}

void Connection::finish(http1::Response response) {
    CHECK(op_ && !finished_);
    finished_ = true;
    if (streaming_) {
        close();  // an answer cannot follow a stream
    } else {
        respond(std::move(response));
    }
}

void Connection::begin_stream(const http1::Response& head) {
    count_answer(head.status);
    streaming_ = true;
    input_over_ = true;
    door_.net.send(conn_, http1::write_stream_head(head, door_.clock.wall()));
}

void Connection::send(std::string bytes) {
    door_.net.send(conn_, std::move(bytes));
}

void Connection::send(SharedBytes bytes) {
    door_.net.send(conn_, {}, std::move(bytes), {});
}

bool Connection::congested() const {
    return door_.net.congested(conn_);
}

void Connection::give_up_slow_reader() {
    door_.counters.refuse(Refusal::slow_reader);
    close();
}

}  // namespace muster::http
