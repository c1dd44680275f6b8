#include "doors/http/cluster_ops.h"

#include "doors/http/call.h"
#include "doors/http/cluster_json.h"
#include "doors/http/history_json.h"
#include "doors/http/json_writer.h"
#include "doors/http/propagation_json.h"
#include "doors/http/verify_json.h"

namespace muster::http {
namespace {

constexpr Duration kAnswerWithin = std::chrono::seconds(5);

}  // namespace

void ClusterOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(kAnswerWithin);
    host.ask_cluster(token_, what_);
}

void ClusterOp::on_cluster(OpHost& host, std::uint64_t token, const ClusterAnswer& answer) {
    if (token != token_) {
        return;
    }
    if (!answer.result) {
        host.fail(answer.result.error());
        return;
    }
    if (render_ != nullptr && answer.report == nullptr) {
        host.fail({Errc::internal, "the metas answered without a report"});
        return;
    }
    if (render_ != nullptr) {
        host.finish(json_response(render_(answer)));
        return;
    }
    JsonWriter json;
    json.begin_object().field("done", true).end_object();
    host.finish(json_response(std::move(json).take()));
}

void ClusterOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout,
               "no meta that leads has answered; see /health/ready of the metas: most of them must "
               "be there"});
}

void BrakeOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(kAnswerWithin);
    host.ask_brake(token_, wish_);
}

void BrakeOp::on_brake(OpHost& host, std::uint64_t token, const BrakeOutcome& outcome) {
    if (token != token_) {
        return;
    }
    if (wish_.action == msg::BrakeRequest::Action::report) {
        host.finish(json_response(brake_json(outcome)));
        return;
    }
    std::string silent;
    for (const std::string& who : outcome.silent) {
        silent += (silent.empty() ? "" : ", ") + who;
    }
    if (outcome.brakes == 0) {
        const std::string nothing = "no brake of that name holds anything";
        host.fail(silent.empty() ? Error{Errc::not_found, nothing}
                                 : Error{Errc::timeout, nothing + " as far as is known; " + silent +
                                                            " did not answer"});
        return;
    }
    JsonWriter json;
    json.begin_object()
        .field("brakes", outcome.brakes)
        .field("publications", outcome.publications)
        .key("silent")
        .begin_array();
    for (const std::string& who : outcome.silent) {
        json.value(who);
    }
    json.end_array().end_object();
    host.finish(json_response(std::move(json).take()));
}

void BrakeOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "nobody answered what is held"});
}

void VerifyOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(ClusterFace::kVerifyMax + std::chrono::seconds(1));
    host.ask_verify(token_);
}

void VerifyOp::on_verify(OpHost& host, std::uint64_t token, const Result<verify::Report>& report) {
    if (token != token_) {
        return;
    }
    if (!report) {
        host.fail(report.error());
        return;
    }
    host.finish(json_response(verify_json(*report)));
}

void VerifyOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the verification did not end"});
}

void PropagationOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(ClusterFace::kPropagationMax + std::chrono::seconds(1));
    host.ask_propagation(token_, wish_);
}

void PropagationOp::on_propagation(OpHost& host, std::uint64_t token,
                                   const Result<propagation::Report>& report) {
    if (token != token_) {
        return;
    }
    if (!report) {
        host.fail(report.error());
        return;
    }
    host.finish(json_response(propagation_json(*report)));
}

void PropagationOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the sessions were not all asked in time"});
}

void MarkOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(wish_.timeout + ClusterFace::kPropagationMax + std::chrono::seconds(1));
    host.ask_mark(token_, wish_);
}

void MarkOp::on_marked(OpHost& host, std::uint64_t token,
                       const Result<propagation::DrainReport>& report) {
    if (token != token_) {
        return;
    }
    if (!report) {
        host.fail(report.error());
    } else if (wish_.kind == Mark::Kind::restored) {
        host.finish(json_response(restored_json(wish_, *report)));
    } else {
        const auto status = report->confirmed ? 200 : info(Errc::timeout).http_status;
        host.finish(json_response(drained_json(wish_, *report), status));
    }
}

void MarkOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "nobody answered; ask again, which waits on"});
}

void HistoryOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(ClusterFace::kHistoryMax + std::chrono::seconds(1));
    host.ask_history(token_, question_);
}

void HistoryOp::on_history(OpHost& host, std::uint64_t token,
                           const Result<propagation::HistoryReport>& report) {
    if (token != token_) {
        return;
    }
    if (!report) {
        host.fail(report.error());
        return;
    }
    host.finish(json_response(history_json(*report)));
}

void HistoryOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the data servers were not all asked in time"});
}

}  // namespace muster::http
