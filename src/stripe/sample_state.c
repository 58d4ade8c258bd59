/*
 * The states that objects pass through: data, written as sample_int.h says.
 */
#include "stripe/sample_int.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

const struct sample_state sample_states[] = {
	{ "customer", "carded",
	    "{'invoice_settings':{'default_payment_method':'$pm'}}" },
	{ "customer", "recarded",
	    "{'invoice_settings':{'default_payment_method':'$pm'},"
	    "'default_source':null,'address':{'line2':'Floor 3'}}" },
	{ "customer", "delinquent",
	    "{'delinquent':true}" },
	{ "customer", "paid_up",
	    "{'delinquent':false}" },
	{ "customer", "invoiced",
	    "{'next_invoice_sequence':2}" },
	{ "product", "described",
	    "{'description':'$(product_text), all year','updated':'$now'}" },
	{ "product", "retired",
	    "{'active':false,'updated':'$now'}" },
	{ "price", "renamed",
	    "{'nickname':'$(nickname) (2026)',"
	    "'metadata':{'campaign':'spring'}}" },
	{ "price", "retired",
	    "{'active':false,'lookup_key':null}" },
	{ "plan", "renamed",
	    "{'nickname':'$(nickname) (2026)',"
	    "'metadata':{'campaign':'spring'}}" },
	{ "plan", "retired",
	    "{'active':false}" },
	{ "setup_intent", "action",
	    "{'latest_attempt':'$setatt',"
	    "'next_action':{'redirect_to_url':{'return_url':'https://app.ex"
	    "ample.com/billing?setup=1',"
	    "'url':'https://hooks.stripe.com/redirect/authenticate/src_$(fi"
	    "ngerprint)'},'type':'redirect_to_url'},'payment_method':'$pm',"
	    "'status':'requires_action'}" },
	{ "setup_intent", "failed",
	    "{'last_setup_error':'@card_error','latest_attempt':'$setatt',"
	    "'next_action':null,'payment_method':null,"
	    "'status':'requires_payment_method'}" },
	{ "setup_intent", "succeeded",
	    "{'last_setup_error':null,'latest_attempt':'$setatt',"
	    "'next_action':null,'payment_method':'$pm',"
	    "'status':'succeeded'}" },
	{ "setup_intent", "canceled",
	    "{'cancellation_reason':'abandoned','next_action':null,"
	    "'status':'canceled'}" },
	{ "subscription", "trialing",
	    "{'billing_cycle_anchor':'$now+1209600',"
	    "'-current_period_start':'$now',"
	    "'-current_period_end':'$now+1209600',"
	    "'items':{'data':[{'+current_period_start':'$now',"
	    "'+current_period_end':'$now+1209600'}]},'status':'trialing',"
	    "'trial_end':'$now+1209600','trial_start':'$now'}" },
	{ "subscription", "no_card",
	    "{'default_payment_method':null,"
	    "'trial_settings':{'end_behavior':{'missing_payment_method':'pa"
	    "use'}}}" },
	{ "subscription", "active",
	    "{'status':'active'}" },
	{ "subscription", "past_due",
	    "{'status':'past_due'}" },
	{ "subscription", "paused",
	    "{'status':'paused'}" },
	{ "subscription", "renewed",
	    "{'-current_period_start':'$now',"
	    "'-current_period_end':'$month',"
	    "'items':{'data':[{'+current_period_start':'$now',"
	    "'+current_period_end':'$month'}]},'latest_invoice':'$in'}" },
	{ "subscription", "resumed",
	    "{'billing_cycle_anchor':'$now','status':'active'}" },
	{ "subscription", "seats",
	    "{'items':{'data':[{'quantity':3}]},'quantity':3}" },
	{ "subscription", "pending",
	    "{'pending_update':{'billing_cycle_anchor':null,"
	    "'expires_at':'$now+82800','subscription_items':[{'id':'$si',"
	    "'object':'subscription_item','+billing_thresholds':null,"
	    "'created':'$now','metadata':{},'plan':'@plan',"
	    "'price':'@price','quantity':3,'subscription':'$sub',"
	    "'tax_rates':[]}],'trial_end':null,'trial_from_plan':null}}" },
	{ "subscription", "settled",
	    "{'pending_update':null}" },
	{ "subscription", "canceling",
	    "{'cancel_at':'$month','cancel_at_period_end':true,"
	    "'canceled_at':'$now',"
	    "'cancellation_details':{'feedback':'too_expensive',"
	    "'reason':'cancellation_requested'}}" },
	{ "subscription", "canceled",
	    "{'canceled_at':'$now',"
	    "'cancellation_details':{'reason':'cancellation_requested'},"
	    "'ended_at':'$now','status':'canceled'}" },
	{ "subscription", "ended",
	    "{'ended_at':'$now','status':'canceled'}" },
	{ "subscription", "given_up",
	    "{'canceled_at':'$now',"
	    "'cancellation_details':{'reason':'payment_failed'},"
	    "'ended_at':'$now','status':'canceled'}" },
	{ "subscription", "expired",
	    "{'ended_at':'$now','status':'incomplete_expired'}" },
	{ "invoice", "cycle",
	    "{'auto_advance':true,'billing_reason':'subscription_cycle',"
	    "'next_payment_attempt':'$now+3600','period_start':'$before'}" },
	{ "invoice", "manual",
	    "{'billing_reason':'manual','collection_method':'send_invoice',"
	    "'due_date':'$now+2592000'}" },
	{ "invoice", "noted",
	    "{'description':'Thank you for your business & your patience',"
	    "'footer':'All amounts are final.'}" },
	{ "invoice", "open",
	    "{'effective_at':'$now',"
	    "'hosted_invoice_url':'https://invoice.stripe.com/i/$(acct)/$(m"
	    "ode)_$(token)?s=ap',"
	    "'invoice_pdf':'https://pay.stripe.com/invoice/$(acct)/$(mode)_"
	    "$(token)/pdf?s=ap','next_payment_attempt':null,"
	    "'number':'$number','-payment_intent':'$pi','status':'open',"
	    "'status_transitions':{'finalized_at':'$now'},"
	    "'webhooks_delivered_at':'$now'}" },
	{ "invoice", "unfinalized",
	    "{'last_finalization_error':{'code':'customer_tax_location_inva"
	    "lid',"
	    "'doc_url':'https://stripe.com/docs/error-codes/customer-tax-lo"
	    "cation-invalid',"
	    "'message':'The customer has no valid address.',"
	    "'type':'invalid_request_error'}}" },
	{ "invoice", "failed_1",
	    "{'attempt_count':1,'attempted':true,'-charge':'$ch',"
	    "'next_payment_attempt':'$now+259200'}" },
	{ "invoice", "failed_2",
	    "{'attempt_count':2,'attempted':true,'-charge':'$ch',"
	    "'next_payment_attempt':'$now+432000'}" },
	{ "invoice", "failed_3",
	    "{'attempt_count':3,'attempted':true,'-charge':'$ch',"
	    "'next_payment_attempt':'$now+604800'}" },
	{ "invoice", "paid",
	    "{'amount_paid':'$amount','amount_remaining':0,"
	    "'attempt_count':1,'attempted':true,'auto_advance':false,"
	    "'-charge':'$ch','next_payment_attempt':null,'-paid':true,"
	    "'status':'paid','status_transitions':{'paid_at':'$now'}}" },
	{ "invoice", "third_time",
	    "{'attempt_count':3}" },
	{ "invoice", "overpaid",
	    "{'+amount_overpaid':500}" },
	{ "invoice", "free",
	    "{'amount_due':0,'amount_remaining':0,"
	    "'lines':{'data':[{'amount':0,'-amount_excluding_tax':0,"
	    "'description':'Trial period for $(product)',"
	    "'period':{'end':'$now+1209600'}}]},'subtotal':0,"
	    "'subtotal_excluding_tax':0,'total':0,'total_excluding_tax':0}" },
	{ "invoice", "free_paid",
	    "{'attempted':true,'auto_advance':false,'-paid':true,"
	    "'-payment_intent':null,'status':'paid',"
	    "'status_transitions':{'paid_at':'$now'}}" },
	{ "invoice", "overdue",
	    "{'due_date':'$now-86400'}" },
	{ "invoice", "uncollectible",
	    "{'auto_advance':false,'next_payment_attempt':null,"
	    "'status':'uncollectible',"
	    "'status_transitions':{'marked_uncollectible_at':'$now'}}" },
	{ "invoice", "void",
	    "{'amount_remaining':0,'auto_advance':false,"
	    "'next_payment_attempt':null,'status':'void',"
	    "'status_transitions':{'voided_at':'$now'}}" },
	{ "invoice", "upcoming",
	    "{'id':'$none','auto_advance':true,'billing_reason':'upcoming',"
	    "'lines':{'url':'/v1/invoices/upcoming/lines?subscription=$(sub"
	    ")'},'next_payment_attempt':'$now+3600'}" },
	{ "payment_intent", "one_time",
	    "{'description':null,'-invoice':null,'metadata':'$metadata',"
	    "'setup_future_usage':null}" },
	{ "payment_intent", "debit",
	    "{'payment_method_options':{'card':'$none'},"
	    "'payment_method_types':['$debit']}" },
	{ "payment_intent", "manual",
	    "{'capture_method':'manual'}" },
	{ "payment_intent", "action",
	    "{'next_action':{'redirect_to_url':{'return_url':'https://app.e"
	    "xample.com/billing?paid=1',"
	    "'url':'https://hooks.stripe.com/3d_secure_2/hosted?payment_int"
	    "ent=$(pi)&source=$(fingerprint)'},'type':'redirect_to_url'},"
	    "'payment_method':'$pm','status':'requires_action'}" },
	{ "payment_intent", "transfer",
	    "{'next_action':{'display_bank_transfer_instructions':{'amount_"
	    "remaining':'$rest','currency':'$currency',"
	    "'hosted_instructions_url':'https://payments.stripe.com/bank_tr"
	    "ansfers/instructions/$(mode)_$(token)','reference':'$prefix',"
	    "'type':'us_bank_transfer'},"
	    "'type':'display_bank_transfer_instructions'},"
	    "'payment_method_types':['customer_balance'],"
	    "'status':'requires_action'}" },
	{ "payment_intent", "processing",
	    "{'last_payment_error':null,'latest_charge':'$ch',"
	    "'next_action':null,'payment_method':'$pm',"
	    "'status':'processing'}" },
	{ "payment_intent", "authorized",
	    "{'amount_capturable':'$amount','latest_charge':'$ch',"
	    "'next_action':null,'payment_method':'$pm',"
	    "'status':'requires_capture'}" },
	{ "payment_intent", "declined",
	    "{'last_payment_error':'@card_error','latest_charge':'$ch',"
	    "'next_action':null,'payment_method':null,"
	    "'status':'requires_payment_method'}" },
	{ "payment_intent", "succeeded",
	    "{'amount_capturable':0,'amount_received':'$amount',"
	    "'last_payment_error':null,'latest_charge':'$ch',"
	    "'next_action':null,'payment_method':'$pm',"
	    "'status':'succeeded'}" },
	{ "payment_intent", "canceled",
	    "{'amount_capturable':0,'canceled_at':'$now',"
	    "'cancellation_reason':'abandoned','next_action':null,"
	    "'status':'canceled'}" },
	{ "payment_intent", "voided",
	    "{'canceled_at':'$now','cancellation_reason':'void_invoice',"
	    "'next_action':null,'status':'canceled'}" },
	{ "charge", "one_time",
	    "{'description':null,'-invoice':null,'metadata':'$metadata'}" },
	{ "charge", "pending",
	    "{'amount_captured':0,'balance_transaction':null,'paid':false,"
	    "'receipt_url':null,'status':'pending'}" },
	{ "charge", "debit",
	    "{'payment_method_details':{'card':'$none','type':'$debit'}}" },
	{ "charge", "arrived",
	    "{'amount_captured':'$amount','balance_transaction':'$txn',"
	    "'paid':true,'status':'succeeded'}" },
	{ "charge", "failed",
	    "{'amount_captured':0,'balance_transaction':null,"
	    "'captured':false,'failure_code':'card_declined',"
	    "'failure_message':'Your card has insufficient funds.',"
	    "'outcome':{'+advice_code':'try_again_later',"
	    "'+network_decline_code':'05',"
	    "'network_status':'declined_by_network',"
	    "'reason':'insufficient_funds',"
	    "'seller_message':'The bank returned the decline code `insuffic"
	    "ient_funds`.','type':'issuer_declined'},'paid':false,"
	    "'payment_method_details':{'card':{'last4':'0341'}},"
	    "'receipt_url':null,'status':'failed'}" },
	{ "charge", "secured",
	    "{'payment_method_details':{'card':{'last4':'3155',"
	    "'three_d_secure':{'authentication_flow':'challenge',"
	    "'electronic_commerce_indicator':'05',"
	    "'exemption_indicator':null,'result':'authenticated',"
	    "'result_reason':null,'transaction_id':'$(fingerprint)',"
	    "'version':'2.2.0'}}}}" },
	{ "charge", "uncaptured",
	    "{'amount_captured':0,'balance_transaction':null,"
	    "'captured':false}" },
	{ "charge", "captured",
	    "{'amount_captured':'$amount','balance_transaction':'$txn',"
	    "'captured':true}" },
	{ "charge", "released",
	    "{'amount_refunded':'$amount','refunded':true}" },
	{ "charge", "unsettled",
	    "{'balance_transaction':null}" },
	{ "charge", "settled",
	    "{'balance_transaction':'$txn'}" },
	{ "charge", "third_refunded",
	    "{'amount_refunded':'$third'}" },
	{ "charge", "refunded",
	    "{'amount_refunded':'$amount','refunded':true}" },
	{ "charge", "disputed",
	    "{'-dispute':'$dp','disputed':true}" },
	{ "invoice_payment", "paid",
	    "{'amount_paid':'$amount','status':'paid',"
	    "'status_transitions':{'paid_at':'$now'}}" },
	{ "refund", "full",
	    "{'amount':'$amount'}" },
	{ "refund", "rest",
	    "{'amount':'$rest'}" },
	{ "refund", "pending",
	    "{'destination_details':'$none','status':'pending'}" },
	{ "refund", "referenced",
	    "{'destination_details':{'card':{'reference':'7427$(prefix)',"
	    "'reference_status':'available'}}}" },
	{ "refund", "failed",
	    "{'failure_balance_transaction':'$txn',"
	    "'failure_reason':'lost_or_stolen_card','status':'failed'}" },
	{ "dispute", "withdrawn",
	    "{'balance_transactions':[{'id':'$txn_back',"
	    "'object':'balance_transaction','amount':'$minus',"
	    "'available_on':'$now+172800','created':'$now',"
	    "'currency':'$currency',"
	    "'description':'Chargeback withdrawal for $(ch)',"
	    "'exchange_rate':null,'fee':1500,'fee_details':[],"
	    "'net':'$minus','reporting_category':'dispute','source':'$dp',"
	    "'status':'pending','type':'adjustment'}]}" },
	{ "dispute", "review",
	    "{'evidence':{'product_description':'$product',"
	    "'uncategorized_text':'The customer used the service until toda"
	    "y.'},'evidence_details':{'has_evidence':true,"
	    "'submission_count':1},'status':'under_review'}" },
	{ "dispute", "won",
	    "{'status':'won'}" },
	{ "dispute", "lost",
	    "{'status':'lost'}" },
	{ "dispute", "reinstated",
	    "{'is_charge_refundable':true}" },
	{ "session", "complete",
	    "{'customer':'$cus','invoice':'$in','payment_status':'paid',"
	    "'status':'complete','subscription':'$sub','url':null}" },
	{ "session", "trial",
	    "{'amount_subtotal':0,'amount_total':0,"
	    "'payment_status':'no_payment_required'}" },
	{ "session", "one_time",
	    "{'customer':'$cus','metadata':'$metadata','mode':'payment',"
	    "'payment_intent':'$pi'}" },
	{ "session", "debit",
	    "{'payment_method_types':['$debit']}" },
	{ "session", "one_time_paid",
	    "{'payment_status':'paid','status':'complete','url':null}" },
	{ "session", "unpaid",
	    "{'payment_status':'unpaid','status':'complete','url':null}" },
	{ "session", "expired",
	    "{'status':'expired','url':null}" },
};
const size_t sample_nstates = N(sample_states);
